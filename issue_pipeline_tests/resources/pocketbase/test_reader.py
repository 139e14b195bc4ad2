"""Reading the live store as anybody may."""

from collections.abc import Iterator

import httpx
import pytest

from issue_pipeline.errors import ConfigurationError, LiveStoreError
from issue_pipeline.resources.pocketbase import reader as module
from issue_pipeline.resources.pocketbase.reader import LiveReader, has_words, open_reader
from issue_pipeline_tests.support.problem_store import ProblemStore, problem_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProblemStore]:
    with problem_store(tmp_path_factory.mktemp("reader")) as store:
        for number in range(7):
            store.put(f"Problem {number}", posts_7d=number)
        yield store


@pytest.fixture
def reader(store: ProblemStore) -> Iterator[LiveReader]:
    with open_reader(store.url) as reader:
        yield reader


def test_every_record_is_read_once_however_many_pages_there_are(reader, monkeypatch):
    for page in (1, 3, 7, 100):
        monkeypatch.setattr(module, "PAGE_RECORDS", page)
        found = [one["title"] for one in reader.every_record("problems", fields=("title",))]
        assert sorted(found) == [f"Problem {number}" for number in range(7)]
        large = list(reader.every_record("problems", where="posts_7d > 3"))
        assert len(large) == 3


def test_a_record_that_is_not_there_is_none(reader):
    for record_id in ("nosuchrecord000", "", "../../settings", "' || id != '"):
        assert reader.record("problems", record_id) is None


def test_former_ids_lead_to_current_ones_however_many_are_asked_for(reader, store):
    problem = store.put("Problem 0")
    store.put_alias("formerid0000001", problem)
    ids = [*(f"{number:015}" for number in range(200)), "formerid0000001", problem, "no id"]
    assert reader.current_ids(ids) == {"formerid0000001": problem}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("problem 3", ["Problem 3"]),
        ("PROBLEM", [f"Problem {number}" for number in range(7)]),
        ("problem missing", []),
        ("' || id != '", []),
        ('" || title ~ "', []),
        ("\\", [f"Problem {number}" for number in range(7)]),
        ("Problem\\' || posts_7d > 3 || '", []),
        ("%", [f"Problem {number}" for number in range(7)]),
        ("_roblem", []),
        ("\x00\ud800\u202e", []),
        ("", [f"Problem {number}" for number in range(7)]),
    ],
)
def test_words_of_any_text_ask_for_what_they_say(reader, text, expected):
    where = has_words(("title", "description"), text, 10)
    found = reader.records("problems", where=where, sort="title")
    assert [one["title"] for one in found] == expected


def test_what_goes_wrong_is_said_without_user_info(store):
    with open_reader(store.url) as reader:
        with pytest.raises(LiveStoreError, match=r"answered 404 to a read of .*/nothing/records"):
            reader.records("nothing")
        with pytest.raises(LiveStoreError, match="answered 400"):
            reader.records("problems", where="(")
    with open_reader("http://user:s3cret@127.0.0.1:9") as reader:
        with pytest.raises(LiveStoreError, match="does not answer") as away:
            reader.records("problems")
        assert "s3cret" not in str(away.value)
    with pytest.raises(ConfigurationError, match="POCKETBASE_URL is not set"), open_reader(""):
        pass


def test_another_server_is_not_taken_for_pocketbase():
    http = httpx.Client(
        base_url="http://e.org",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>")),
    )
    with http, pytest.raises(LiveStoreError, match="does not answer as PocketBase does"):
        LiveReader(http, "http://e.org").records("problems")
