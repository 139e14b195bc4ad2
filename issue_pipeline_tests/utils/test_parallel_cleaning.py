import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest

from issue_pipeline.utils import parallel_cleaning, text_cleaning
from issue_pipeline.utils.embeddings import clean_day, clean_item
from issue_pipeline.utils.text_cleaning import clean_as
from issue_pipeline_tests.support.process_watching import python_parent, wait_until_gone

SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
BODY = "The export fails with `E42` on every second run.\n\n> quoted\n\nWrite to me@example.org.\n"


def posts(count: int, *, repeats: int = 1) -> list[dict[str, str]]:
    return [
        {
            "source": SOURCES[number % len(SOURCES)],
            "title": f"[Bug]: export {number} fails &amp; stops",
            "body": f"Case {number}. {BODY * repeats}",
        }
        for number in range(count)
    ]


@pytest.fixture(autouse=True)
def many_from_a_hundred_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_cleaning, "_LEAST_POSTS", 100)
    monkeypatch.setattr(parallel_cleaning, "_POSTS_OF_A_PIECE", 30)


def processes_below() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            command = " ".join(child.cmdline())
            if "loky" in command and "resource_tracker" not in command:
                found.append(child)
    return found


def test_a_large_day_is_cleaned_as_its_posts_are_one_by_one_and_no_process_stays():
    day = posts(150)
    assert clean_day(day) == [clean_item(post) for post in day]
    assert processes_below() == []


def test_a_source_that_is_cleaned_as_another_is_so_in_every_process(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(text_cleaning, "_CLEANED_AS", {})
    clean_as("tracker", "stackoverflow")
    day = [{**post, "source": "tracker"} for post in posts(120)]
    assert clean_day(day)[0].title == "export 0 fails & stops"
    assert clean_day(day) == [clean_item(post) for post in day]


def test_a_process_that_is_killed_loses_no_text(caplog: pytest.LogCaptureFixture):
    day = posts(120, repeats=400)
    is_over = threading.Event()

    def kill() -> None:
        while not is_over.wait(0.05):
            for process in processes_below()[:1]:
                with suppress(psutil.Error):
                    process.kill()
                return

    killing = threading.Thread(target=kill)
    killing.start()
    with caplog.at_level(logging.WARNING):
        cleaned = clean_day(day)
    is_over.set()
    killing.join()
    assert "No process cleans the texts beside this one" in caplog.text
    assert [text.title for text in cleaned] == [clean_item(post).title for post in day]


def test_when_whoever_cleans_is_killed_its_processes_end_too():
    run = python_parent(
        "from issue_pipeline.utils import parallel_cleaning\n"
        "texts = [('github', 'title', 'The export fails. ' * 3000) for _ in range(20_000)]\n"
        "parallel_cleaning.clean_texts(texts, frozenset())\n"
    )
    try:
        deadline = time.monotonic() + 60
        while not (below := processes_below()) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        run.kill()
        run.communicate()
    assert below
    wait_until_gone(process.pid for process in below)


def test_a_script_that_does_not_guard_its_main_part_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('started')\n"
        "from issue_pipeline.utils import parallel_cleaning\n"
        "parallel_cleaning._LEAST_POSTS = 100\n"
        "texts = [('github', f'title {n}', 'body') for n in range(1000)]\n"
        "print(len(parallel_cleaning.clean_texts(texts, frozenset())))\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["started", "1000"]


def test_where_no_process_may_be_started_texts_are_cleaned_all_the_same():
    script = (
        "import multiprocessing\n"
        "from issue_pipeline.utils import parallel_cleaning\n"
        "parallel_cleaning._LEAST_POSTS = 100\n"
        "def clean():\n"
        "    texts = [('github', f'title {n}', 'body') for n in range(200)]\n"
        "    print(len(parallel_cleaning.clean_texts(texts, frozenset())))\n"
        "if __name__ == '__main__':\n"
        "    one = multiprocessing.get_context('fork').Process(target=clean, daemon=True)\n"
        "    one.start()\n"
        "    one.join()\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["200"]
