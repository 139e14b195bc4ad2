"""The page's scripts and styles against the browsers that docs/api.md names.

The data come from npm (``npm ci --prefix issue_pipeline_tests/live``, done by ``make test`` where
there is npm); without them these tests are skipped.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from issue_pipeline.local.pocketbase_server import PUBLIC

HERE = Path(__file__).parent
CHECK = HERE / "browser_support.mjs"
PAGE = Path(__file__).parents[2] / "docs" / "api.md"
LIMIT_S = 60

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (HERE / "node_modules" / "@mdn").exists(),
    reason="compatibility data are not installed: npm ci --prefix issue_pipeline_tests/live",
)

LACKING = {
    "a.js": ("const groups = Map.groupBy([], (one) => one);", "Map.groupBy"),
    "b.js": (
        "const query = new URLSearchParams(); if (query.size) throw 1;",
        "URLSearchParams.size",
    ),
    "c.js": ("fetch('/', {signal: AbortSignal.timeout(1)});", "AbortSignal.timeout"),
    "d.js": ("export const last = [1].toSorted();", ".toSorted"),
    "e.js": ("class One { static { One.two = 3; } }", "static block"),
    "f.js": ("export const price = /(?<=€)1/;", "lookbehind"),
    "g.js": ("using file = open();", "ECMAScript"),
    "h.css": (".one:has(a) { color: red; }", ":has"),
    "i.css": (".one { color: color-mix(in srgb, red, blue); }", "color-mix"),
    "j.css": (".one { text-wrap: balance; }", "text-wrap"),
}


def lacking(folder: Path) -> list[str]:
    command = ["node", str(CHECK), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return list(json.loads(done.stdout))


def test_every_supported_browser_has_what_the_page_uses():
    assert lacking(PUBLIC) == []


def test_what_a_supported_browser_lacks_is_found(tmp_path):
    for name, (code, _) in LACKING.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    found = "\n".join(lacking(tmp_path))
    for name, (_, what) in LACKING.items():
        assert re.search(rf"^{re.escape(name)}.*{re.escape(what)}", found, re.MULTILINE), name


def test_the_browsers_that_are_checked_are_those_of_the_documentation():
    versions = re.search(r"const BROWSERS = \{(.*?)\}", CHECK.read_text(encoding="utf-8"))
    assert versions
    checked = dict(re.findall(r"(\w+): ([\d.]+)", versions[1]))
    text = PAGE.read_text(encoding="utf-8")
    for browser, name in {"chrome": "Chrome", "firefox": "Firefox", "safari": "Safari"}.items():
        assert f"{name} {checked[browser]}" in text
