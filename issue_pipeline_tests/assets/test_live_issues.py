import shutil

import httpx
import pytest

from issue_pipeline.assets import issues, live_issues
from issue_pipeline.errors import LiveStoreError
from issue_pipeline_tests.assets.conftest import changed, opened_pipeline
from issue_pipeline_tests.support.scripted_model import about_the_posts


@pytest.fixture(scope="module")
def day_of_its_own(tmp_path_factory, pocketbase):
    folder = tmp_path_factory.mktemp("published")
    with opened_pipeline(folder / "issues.duckdb", pocketbase, about_the_posts) as pipeline:
        pipeline.run_day()
        shutil.copy(pipeline.path, folder / "copy")
        yield pipeline


@pytest.fixture
def published(day_of_its_own):
    """The day, published; put back to that afterwards, which a run does whatever happened."""
    yield day_of_its_own
    shutil.copy(day_of_its_own.path.with_name("copy"), day_of_its_own.path)
    day_of_its_own.run(live_issues)


def _as_gold_says(pipeline):
    gold = pipeline.query(
        "SELECT canonical_title, category, impact_level, would_pay_signal, cluster_size"
        " FROM gold.issues WHERE NOT label_failed ORDER BY ALL"
    )
    evidence = pipeline.query("SELECT url, title FROM gold.issue_evidence ORDER BY ALL")
    live = pipeline.live()
    records = sorted(
        (one["title"], one["category"], one["impact"], one["would_pay"], one["size"])
        for one in live["issues"]
    )
    return records == gold and evidence == sorted(
        (one["url"], one["title"]) for one in live["issue_evidence"]
    )


def _superuser(pipeline):
    resource = pipeline.resources["pocketbase"]
    token = httpx.post(
        f"{resource.url}/api/collections/_superusers/auth-with-password",
        json={"identity": resource.email, "password": resource.password},
    ).json()["token"]
    return httpx.Client(base_url=resource.url, headers={"Authorization": token})


def test_the_live_store_shows_exactly_the_good_labels_and_their_evidence(published):
    assert published.live()["issues"]
    assert _as_gold_says(published)
    for record in published.live()["issues"]:
        assert sum(record["sources"].values()) == record["size"]
        assert record["complete"] is True
    tracked = published.query("SELECT record_id, state FROM gold.live_issues ORDER BY ALL")
    assert tracked == [(one["id"], "published") for one in published.live()["issues"]]


def test_publishing_again_writes_nothing(published):
    before = published.live()
    metadata = published.run(live_issues)
    assert metadata["written"] == 0
    assert metadata["unchanged"] == len(before["issues"])
    assert published.live() == before  # their "updated" times, too


def test_records_changed_or_deleted_by_hand_are_put_right_again(published):
    first, second, *_ = published.live()["issues"]
    evidence = published.live()["issue_evidence"][0]
    with _superuser(published) as client:
        issues_path = "/api/collections/issues/records"
        assert client.patch(f"{issues_path}/{first['id']}", json={"title": "Hm"}).is_success
        assert client.delete(f"{issues_path}/{second['id']}").is_success
        client.delete(f"/api/collections/issue_evidence/records/{evidence['id']}")
    assert not _as_gold_says(published)
    published.run(live_issues)
    assert _as_gold_says(published)


def test_what_gold_no_longer_has_is_withdrawn_with_its_evidence(published):
    with published.resources["database"].write() as connection:
        connection.execute("UPDATE silver.cluster_assignments SET cluster_id = -1")
        connection.execute("DELETE FROM silver.clusters")
    published.run(issues)
    published.run(live_issues)
    assert published.live() == {"issues": [], "issue_evidence": []}
    assert published.query("SELECT * FROM gold.live_issues") == []


def test_a_server_that_is_down_is_a_clear_failure(pocketbase):
    away = changed(pocketbase, url="http://127.0.0.1:9")
    with pytest.raises(LiveStoreError, match="POCKETBASE_URL"), away.connect():
        pass


def test_a_wrong_password_is_a_clear_failure(pocketbase):
    refused = changed(pocketbase, password="wrong")
    with pytest.raises(LiveStoreError, match="POCKETBASE_PASSWORD"), refused.connect():
        pass


def test_nothing_is_withdrawn_because_a_step_was_never_run(published):
    before = published.live()
    with published.resources["database"].write() as connection:
        connection.execute("DELETE FROM gold.issues")
    assert "Materialise gold/issues" in _failure_of(published.attempt(live_issues))
    with published.resources["database"].write() as connection:
        connection.execute("DELETE FROM bronze.collections")
    assert "No source was ever collected" in _failure_of(published.attempt(live_issues))
    assert "No source was ever collected" in _failure_of(published.attempt(issues))
    assert published.live() == before


def _failure_of(result) -> str:
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.user_failure_data.description
