import os
import re
from datetime import time, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pytest

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.environment import Day, read_setting
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.settings import (
    ClusteringMode,
    Settings,
    clustering_min_size,
    clustering_mode,
    collect_at,
    process_deadline,
    resources,
    try_again_after,
)
from issue_pipeline.utils.clustering import MODES

PREFIXES = ("GITHUB_", "STACKEXCHANGE_", "REDDIT_", "HN_", "LLM_", "POCKETBASE_", "RAY_")
NAMES = (
    "ISSUES_DUCKDB_PATH",
    "CONTACT",
    "CLUSTERING_MODE",
    "CLUSTERING_MIN_SIZE",
    "EMBEDDING_MODEL",
    "EMBEDDING_BACKEND",
    "COLLECT_AT",
    "PROCESS_DEADLINE",
    "TRY_AGAIN_MINUTES",
)
SECRETS = {
    "GITHUB_TOKEN": ("collectors", "github.token"),
    "STACKEXCHANGE_KEY": ("collectors", "stackoverflow.key"),
    "REDDIT_CLIENT_ID": ("collectors", "reddit.client_id"),
    "REDDIT_CLIENT_SECRET": ("collectors", "reddit.client_secret"),
    "LLM_REMOTE_API_KEY": ("llm", "remote_api_key"),
    "POCKETBASE_EMAIL": ("pocketbase", "email"),
    "POCKETBASE_PASSWORD": ("pocketbase", "password"),
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith(PREFIXES) or name in NAMES]:
        monkeypatch.delenv(name)


def setting(resource: str, path: str) -> Any:
    """The value of a field, which may lie in a source's own settings."""
    return attrgetter(path)(resources()[resource])


def collectors() -> Any:
    resource = resources()["collectors"]
    assert isinstance(resource, CollectorsResource)
    return resource


def llm() -> LLMResource:
    resource = resources()["llm"]
    assert isinstance(resource, LLMResource)
    return resource


def test_with_nothing_set_the_real_apis_are_meant_and_no_model():
    assert collectors().github.api_url == "https://api.github.com"
    assert collectors().stackoverflow.api_url == "https://api.stackexchange.com"
    assert collectors().reddit.api_url == "https://oauth.reddit.com"
    assert collectors().hackernews.api_url == "https://hn.algolia.com"
    assert "webdev" in collectors().reddit.subreddits
    assert (llm().local_model, llm().remote_model, llm().remote_above) == ("", "", 50)
    assert clustering_mode() == "smoothed"


def test_every_service_can_be_pointed_elsewhere(monkeypatch: pytest.MonkeyPatch):
    for name, resource, field in [
        ("GITHUB_API_URL", "collectors", "github.api_url"),
        ("STACKEXCHANGE_API_URL", "collectors", "stackoverflow.api_url"),
        ("REDDIT_API_URL", "collectors", "reddit.api_url"),
        ("REDDIT_AUTH_URL", "collectors", "reddit.auth_url"),
        ("REDDIT_ARCHIVE_URL", "collectors", "reddit.archive_url"),
        ("HN_API_URL", "collectors", "hackernews.api_url"),
        ("LLM_LOCAL_BASE_URL", "llm", "local_base_url"),
        ("POCKETBASE_URL", "pocketbase", "url"),
        ("ISSUES_DUCKDB_PATH", "database", "database"),
        ("EMBEDDING_MODEL", "embedding", "embedding_model"),
        ("ISSUES_CACHE_DIR", "embedding", "cache_dir"),
    ]:
        monkeypatch.setenv(name, f" value-of-{name} ")
        assert setting(resource, field) == f"value-of-{name}"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_handed_on_by_name_and_never_by_value(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    resource, field = SECRETS[name]
    assert setting(resource, field) == ""
    monkeypatch.setenv(name, "s3cret")
    assert isinstance(setting(resource, field), dg.EnvVar)
    assert "s3cret" not in repr(resources())


def test_a_ray_cluster_is_for_embedding_and_for_clustering(monkeypatch: pytest.MonkeyPatch):
    assert setting("compute", "address") == setting("embedding", "ray_address") == ""
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    monkeypatch.setenv("RAY_PIECE_TIMEOUT_S", "30")
    assert setting("compute", "address") == setting("embedding", "ray_address") == "head:6379"
    assert setting("compute", "piece_timeout_s") == setting("embedding", "piece_timeout_s") == 30
    monkeypatch.setenv("RAY_ADDRESS", "http://head")
    with pytest.raises(ConfigurationError, match=r"RAY_ADDRESS is 'http://head'; expected auto, "):
        resources()


def test_names_are_split_at_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDDIT_SUBREDDITS", " webdev, ,devops,")
    assert collectors().reddit.subreddits == ["webdev", "devops"]


def test_a_blank_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLUSTERING_MODE", "  ")
    monkeypatch.setenv("LLM_REMOTE_ABOVE", "")
    assert clustering_mode() == "smoothed"
    assert llm().remote_above == 50


def test_the_clustering_mode_can_be_chosen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLUSTERING_MODE", "raw")
    assert clustering_mode() == "raw"


def test_the_smallest_cluster_fits_the_day_unless_it_is_set(monkeypatch: pytest.MonkeyPatch):
    assert clustering_min_size() == 0
    monkeypatch.setenv("CLUSTERING_MIN_SIZE", "0")
    assert clustering_min_size() == 0
    monkeypatch.setenv("CLUSTERING_MIN_SIZE", "12")
    assert clustering_min_size() == 12


@pytest.mark.parametrize("size", ["1", "-3", "many", "2.5"])
def test_a_smallest_cluster_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, size: str
):
    monkeypatch.setenv("CLUSTERING_MIN_SIZE", size)
    with pytest.raises(ConfigurationError, match=f"CLUSTERING_MIN_SIZE is '?{size}"):
        resources()


def test_an_unknown_choice_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLUSTERING_MODE", "smooth")
    with pytest.raises(ConfigurationError, match=r"CLUSTERING_MODE is 'smooth'.*raw, smoothed"):
        resources()
    monkeypatch.delenv("CLUSTERING_MODE")
    monkeypatch.setenv("LLM_LOCAL_STYLE", "guess")
    with pytest.raises(ConfigurationError, match=r"LLM_LOCAL_STYLE is 'guess'.*write, choose"):
        resources()
    monkeypatch.delenv("LLM_LOCAL_STYLE")
    monkeypatch.setenv("EMBEDDING_BACKEND", "onnx")
    with pytest.raises(ConfigurationError, match=r"EMBEDDING_BACKEND is 'onnx'.*torch, openvino"):
        resources()


@pytest.mark.parametrize("text", ["many", "nan", "inf", "0", "-1"])
@pytest.mark.parametrize("name", ["GITHUB_REQUESTS_PER_MINUTE", "HN_REQUESTS_PER_MINUTE"])
def test_a_pace_that_is_no_positive_number_is_refused(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigurationError, match=f"{name} is '{text}'; expected a number above 0"):
        resources()


def test_a_pace_may_be_a_fraction(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDDIT_REQUESTS_PER_MINUTE", "0.5")
    assert collectors().reddit.requests_per_minute == 0.5


@pytest.mark.parametrize("text", ["many", "50.7", "-1", "inf", "²"])
def test_a_cluster_size_that_is_no_whole_number_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LLM_REMOTE_ABOVE", text)
    with pytest.raises(ConfigurationError, match=r"LLM_REMOTE_ABOVE is .*; expected a whole"):
        resources()


def test_the_remote_model_may_be_asked_first_for_every_cluster(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_REMOTE_ABOVE", "0")
    assert llm().remote_above == 0


def test_a_run_may_be_limited_in_calls_and_cost(monkeypatch: pytest.MonkeyPatch):
    assert (llm().max_calls, llm().max_cost_usd) == (None, None)
    monkeypatch.setenv("LLM_MAX_CALLS", "200")
    monkeypatch.setenv("LLM_MAX_COST_USD", "0.5")
    assert (llm().max_calls, llm().max_cost_usd) == (200, 0.5)
    monkeypatch.setenv("LLM_MAX_CALLS", "0")
    assert llm().max_calls == 0


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_no_amount_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_MAX_COST_USD", text)
    with pytest.raises(ConfigurationError, match=r"LLM_MAX_COST_USD is .*; expected a number"):
        resources()
    monkeypatch.delenv("LLM_MAX_COST_USD")
    monkeypatch.setenv("LLM_MAX_CALLS", text)
    with pytest.raises(ConfigurationError, match=r"LLM_MAX_CALLS is .*; expected a whole"):
        resources()


@pytest.mark.parametrize("text", ["24:00", "6:00", "06:60", "six", "06:00:00"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("PROCESS_DEADLINE", text)
    with pytest.raises(ConfigurationError, match=f"PROCESS_DEADLINE is '{text}'; expected a time"):
        process_deadline()


def test_a_source_is_collected_at_its_own_time_or_at_that_of_all(monkeypatch: pytest.MonkeyPatch):
    assert collect_at("github") == time(0, 30)
    monkeypatch.setenv("COLLECT_AT", "02:00")
    monkeypatch.setenv("HN_COLLECT_AT", "03:15")
    assert (collect_at("github"), collect_at("hackernews")) == (time(2), time(3, 15))


def test_the_wait_before_another_try_may_be_a_fraction_of_a_minute(monkeypatch: pytest.MonkeyPatch):
    assert try_again_after() == timedelta(minutes=15)
    monkeypatch.setenv("TRY_AGAIN_MINUTES", "0.5")
    assert try_again_after() == timedelta(seconds=30)
    monkeypatch.setenv("TRY_AGAIN_MINUTES", "0")
    with pytest.raises(ConfigurationError, match="TRY_AGAIN_MINUTES"):
        try_again_after()


def test_a_deadline_before_the_sources_are_collected_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROCESS_DEADLINE", "01:00")
    assert process_deadline() == time(1)
    monkeypatch.setenv("REDDIT_COLLECT_AT", "01:00")
    with pytest.raises(ConfigurationError, match=r"PROCESS_DEADLINE is 01:00.*after 01:00"):
        process_deadline()


@pytest.mark.parametrize(
    ("given", "uses_api"),
    [
        ({}, False),
        ({"REDDIT_CLIENT_SECRET": "s3cret"}, False),
        ({"REDDIT_CLIENT_ID": " "}, False),
        ({"REDDIT_CLIENT_ID": "app"}, True),
        ({"REDDIT_CLIENT_ID": "app", "REDDIT_BACKEND": "archive"}, False),
        ({"REDDIT_BACKEND": "api"}, True),
    ],
)
def test_reddit_comes_from_its_api_where_there_is_an_application_and_else_from_the_archive(
    given: dict[str, str], uses_api: bool, monkeypatch: pytest.MonkeyPatch
):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert collectors().reddit.uses_api is uses_api


def test_whoever_runs_this_can_be_named_to_every_api(monkeypatch: pytest.MonkeyPatch):
    assert collectors().contact == ""
    monkeypatch.setenv("CONTACT", "ops@example.org")
    assert collectors().contact == "ops@example.org"


@pytest.mark.parametrize("text", ["a\nX-Injected: 1", "Zoë", "x" * 201])
def test_a_contact_that_no_header_can_carry_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONTACT", text)
    with pytest.raises(ConfigurationError, match=r"CONTACT is .*; expected one line"):
        resources()


def test_everything_that_is_malformed_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_MAX_CALLS", "many")
    monkeypatch.setenv("LLM_REMOTE_ABOVE", "few")
    with pytest.raises(ConfigurationError, match=r"LLM_REMOTE_ABOVE is 'few'.*LLM_MAX_CALLS is"):
        resources()


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "01.02.2026"])
def test_a_first_day_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ISSUES_START_DATE", text)
    with pytest.raises(ConfigurationError, match=rf"ISSUES_START_DATE is '{text}'; expected a day"):
        read_setting("ISSUES_START_DATE", Day, None)


def test_a_bool_says_yes_or_no(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HN_COMMENTS", "yes")
    assert collectors().hackernews.comments is True
    monkeypatch.setenv("HN_COMMENTS", "true")
    with pytest.raises(ConfigurationError, match="HN_COMMENTS is 'true'; expected one of yes, no"):
        resources()


def test_the_modes_that_can_be_set_are_those_of_the_clustering():
    assert get_args(ClusteringMode) == MODES


def variables() -> set[str]:
    """Every variable that is read."""
    declared = {name.upper() for name in Settings.model_fields} | {"ISSUES_START_DATE"}
    declared |= {"EMBEDDING_MODEL", "EMBEDDING_BACKEND"}
    declared |= {"COLLECT_TIME_BUDGET_MINUTES", "COLLECT_MAX_BODY_CHARS"}
    models = [("LLM", LLMResource), ("POCKETBASE", PocketBaseResource), ("RAY", ComputeResource)]
    models += [(source.prefix, source.config) for source in SOURCES.values()]
    return declared | {
        f"{prefix}_{name.upper()}" for prefix, model in models for name in model.model_fields
    }


def test_every_variable_is_in_the_example_and_every_line_of_the_example_is_read():
    example = Path(__file__).parents[1] / ".env.example"
    shown = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example.read_text(), re.MULTILINE))
    assert shown - {"GITHUB_COLLECT_AT"} == variables()


@pytest.mark.parametrize(
    "name",
    [
        "POCKETBASE_URL",
        "GITHUB_API_URL",
        "STACKEXCHANGE_API_URL",
        "REDDIT_API_URL",
        "REDDIT_AUTH_URL",
        "REDDIT_ARCHIVE_URL",
        "HN_API_URL",
        "LLM_LOCAL_BASE_URL",
        "LLM_REMOTE_BASE_URL",
        "DAGSTER_UI_URL",
        "ISSUE_PAGE_URL",
    ],
)
def test_user_info_in_an_address_is_refused_and_not_shown(name, monkeypatch):
    monkeypatch.setenv(name, "https://joe:hush@a.example/path")
    with pytest.raises(ConfigurationError, match=f"{name} has a wrong value") as caught:
        resources()
    assert "without user info" in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "joe" not in str(caught.value)
    monkeypatch.setenv(name, "https://a.example/path@home")
    resources()


def test_every_setting_that_is_an_address_is_in_the_list_above():
    example = Path(__file__).parents[1] / ".env.example"
    shown = re.findall(r"^#?([A-Z_]+_URL)=", example.read_text(), re.MULTILINE)
    [marker] = [
        one
        for one in test_user_info_in_an_address_is_refused_and_not_shown.pytestmark
        if one.name == "parametrize"
    ]
    # A webhook's address is a secret as a whole, and reaches no resource.
    assert {one for one in shown if not one.endswith("_WEBHOOK_URL")} == set(marker.args[1])
