"""Takes the pictures of the Dagster UI: ``python -m benchmarks.dagster_pictures FOLDER``.

Fills a day of the synthetic world under the real webserver and daemon, and photographs the graph of
the assets, a day of clusters and of labels, and the checks (``dagster-ui.png``, the README's).
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_page import CHROMIUM_FLAGS
from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.deployment import Deployment, deployed

POSTS_PER_DAY = 1_500
PROCESSING = (("silver", "clusters"), ("gold", "issues"), ("gold", "live_issues"))
DESKTOP = {"width": 1440, "height": 900}
# The UI draws its graph and loads its panels for a while after the page has loaded.
SETTLED_MS = 6_000


def main(arguments: Sequence[str]) -> int:
    """Take all pictures into the folder that is named."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    pictures = Path(arguments[0])
    pictures.mkdir(parents=True, exist_ok=True)
    day = (datetime.now(UTC).date() - timedelta(days=10)).isoformat()
    with (
        tempfile.TemporaryDirectory() as folder,
        deployed(Path(folder), posts_per_day=POSTS_PER_DAY) as deployment,
    ):
        _fill(deployment, day)
        _photograph(deployment.url, day, pictures)
    return 0


def _fill(deployment: Deployment, day: str) -> None:
    source_days = [f"{day}|{source}" for source in SOURCES]
    for assets, partitions in (([("bronze", "raw_items")], source_days), (PROCESSING, [day])):
        backfill = deployment.backfill(assets, partitions)
        deployment.wait_until(
            f"{assets} are there",
            lambda one=backfill: deployment.backfill_status(one) == "COMPLETED_SUCCESS",
        )


def _photograph(url: str, day: str, pictures: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS
        )
        page = browser.new_page(viewport=DESKTOP)
        for name, path in (
            ("graph", "/asset-groups"),
            ("clusters", f"/assets/silver/clusters?view=partitions&partition={day}"),
            ("labels", f"/assets/gold/issues?view=partitions&partition={day}"),
            ("dagster-ui", "/assets/bronze/raw_items?view=checks"),
            ("overview", "/assets/gold/issues?view=overview"),
            ("automation", "/automation"),
        ):
            _take(page, url + path, pictures / f"{name}.png")
        browser.close()


def _take(page: Any, url: str, picture: Path) -> None:  # noqa: ANN401
    page.goto(url)
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=str(picture))
    print(picture)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
