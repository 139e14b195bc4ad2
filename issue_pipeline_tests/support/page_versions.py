"""Addresses of the page's files that change with their content.

PocketBase says nothing about how long a file is good for, so a browser may keep one for days. Run
``python -m issue_pipeline_tests.support.page_versions`` after a change to the page: it writes into
``index.html``

- ``?v=`` and a hash behind the address of each script, style and picture,
- the import map that does the same for what the modules import,
- a preload of each module, so that none waits until another one names it,
- that map's hash into the policy, which forbids every other script within the page,
- a hash of everything as the version of the page.

It changes nothing where nothing changed; a test compares the hashes with the files.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from issue_pipeline.local.pocketbase_server import PUBLIC

HASH_DIGITS = 12
ENTRY = "app.js"
_MAP = re.compile(r'(<script type="importmap">)(.*?)(</script>)', re.DOTALL)
_PRELOADS = re.compile(r'(?: *<link rel="modulepreload"[^\n]*\n)*(?= *<script type="module")')
_FILE = re.compile(r'((?:src|href)=")([\w/-]+\.(?:js|css|svg))(?:\?v=[0-9a-f]*)?(")')
_MAP_HASH = re.compile(r"'sha256-[A-Za-z0-9+/=]*'")
_VERSION = re.compile(r'(<meta name="version" content=")[0-9a-f]*(">)')


def versioned(html: str, folder: Path) -> str:
    """Return the page with the addresses that fit the files of its folder.

    Args:
        html: The page, with addresses of any version or none.
        folder: Where its files are.

    Returns:
        The same text where the addresses fit already.

    Raises:
        FileNotFoundError: The page names a file that is not there.
    """
    modules = sorted(file.relative_to(folder).as_posix() for file in folder.glob("**/*.js"))
    addresses = {
        f"./{name}": f"./{name}?v={content_hash(folder / name)}"
        for name in modules
        if name != ENTRY  # the page itself names it
    }
    import_map = json.dumps({"imports": addresses}, indent=1)
    html = _MAP.sub(lambda found: found[1] + import_map + found[3], html)
    preloads = "".join(
        f'    <link rel="modulepreload" href="{name.removeprefix("./")}">\n' for name in addresses
    )
    html = _PRELOADS.sub(lambda _: preloads, html, count=1)
    html = _FILE.sub(lambda found: _with_hash(found, folder), html)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    html = _MAP_HASH.sub(lambda _: f"'sha256-{digest}'", html)
    unmarked = _VERSION.sub(r"\1\2", html)
    version = hashlib.sha256(unmarked.encode()).hexdigest()[:HASH_DIGITS]
    return _VERSION.sub(rf"\g<1>{version}\2", html)


def content_hash(file: Path) -> str:
    """Return the beginning of the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:HASH_DIGITS]


def _with_hash(found: re.Match[str], folder: Path) -> str:
    return f"{found[1]}{found[2]}?v={content_hash(folder / found[2])}{found[3]}"


def main() -> int:
    """Write the addresses; says whether anything changed."""
    page = PUBLIC / "index.html"
    before = page.read_text(encoding="utf-8")
    after = versioned(before, PUBLIC)
    page.write_text(after, encoding="utf-8")
    print(f"{page}: {'as it was' if after == before else 'addresses written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
