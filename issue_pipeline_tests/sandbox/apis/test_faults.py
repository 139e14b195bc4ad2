from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from issue_pipeline.sandbox.apis.faults import (
    EMPTY,
    INDEXED_APIS,
    KINDS,
    KINDS_BY_API,
    PROFILES,
    SERVER_ERROR,
    Fault,
    FaultPlan,
    FaultProfile,
    IndexSpell,
)

MANY = 20_000


def drawn(profile, api="github", count=MANY):
    plan = FaultPlan(profile, api)
    return [plan.next() for _ in range(count)]


def test_the_same_seed_gives_the_same_faults_and_another_seed_others():
    worst = PROFILES["worst"]
    assert drawn(worst, count=500) == drawn(worst, count=500)
    other = FaultProfile(share=worst.share, seed=1)
    assert drawn(other, count=500) != drawn(worst, count=500)


def test_each_api_has_faults_of_its_own():
    worst = PROFILES["worst"]
    assert drawn(worst, "reddit", 500) != drawn(worst, "archive", 500)


@pytest.mark.parametrize("api", KINDS_BY_API)
def test_the_worst_profile_spoils_one_reply_in_five_with_every_fault_that_fits(api):
    # Beside the empty replies that it has of its own.
    faults = [fault for fault in drawn(replace(PROFILES["worst"], empty_share=0.0), api) if fault]
    assert len(faults) / MANY == pytest.approx(0.2, abs=0.01)
    assert {fault.kind for fault in faults} == set(KINDS_BY_API[api])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_bursts_do_not_change_the_share_of_faulty_replies(share):
    profile = FaultProfile(share=share, kinds=(SERVER_ERROR, "stall"), burst_length=5)
    faulty = sum(fault is not None for fault in drawn(profile))
    assert faulty / MANY == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_empty_replies_come_at_their_share_beside_all_other_faults(share):
    alone = drawn(FaultProfile(empty_share=share))
    assert {fault.kind for fault in alone if fault} == {EMPTY}
    assert sum(fault is not None for fault in alone) / MANY == pytest.approx(share, abs=0.015)
    others = drawn(FaultProfile(share=0.2, kinds=("stall",)))
    both = drawn(FaultProfile(share=0.2, kinds=("stall",), empty_share=share))
    assert [one for one in both if one and one.kind != EMPTY] == [one for one in others if one]
    empty = sum(one is not None and one.kind == EMPTY for one in both)
    assert empty / MANY == pytest.approx(share * 0.8, abs=0.015)


def test_server_errors_come_in_bursts_of_the_length_asked_for():
    profile = FaultProfile(share=0.02, kinds=(SERVER_ERROR,), burst_length=4)
    text = "".join("x" if fault else " " for fault in drawn(profile))
    lengths = Counter(len(burst) for burst in text.split())
    assert all(length % 4 == 0 for length in lengths)
    assert lengths.most_common(1)[0][0] == 4


def test_nothing_goes_wrong_by_default():
    assert set(drawn(PROFILES["none"], count=100)) == {None}


def test_an_api_without_the_faults_asked_for_has_none():
    assert set(drawn(FaultProfile(share=1.0, kinds=("backoff",)), "reddit", 100)) == {None}


def test_a_detail_chooses_evenly_between_shapes():
    assert [Fault("stall", detail).pick(4) for detail in (0.0, 0.25, 0.74, 0.999)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("wait_s", "time_scale", "told_s"), [(30, 1, 30), (30, 60, 1), (30, 8, 4), (0, 60, 0)]
)
def test_waits_shrink_with_time_and_stay_whole_seconds(wait_s, time_scale, told_s):
    assert FaultProfile(wait_s=wait_s).told_wait_s(time_scale) == told_s


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"share": 1.1}, "share"),
        ({"restless_share": -0.1}, "restless_share"),
        ({"crowded_share": 2}, "crowded_share"),
        ({"empty_share": 1.5}, "empty_share"),
        ({"hidden_share": -1}, "hidden_share"),
        ({"growing_requests": 0}, "growing_requests"),
        ({"kinds": ("gremlins",)}, "gremlins.*server_error"),
        ({"burst_length": 0}, "burst_length"),
        ({"restless_requests": 0}, "restless_requests"),
        ({"stall_s": -1}, "stall_s"),
        ({"wait_s": -1}, "wait_s"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        FaultProfile(**settings)


def test_every_fault_belongs_to_some_api():
    assert set(KINDS) == {kind for kinds in KINDS_BY_API.values() for kind in kinds}


def test_the_profiles_have_every_fault_of_the_posts_and_of_the_indexes():
    worst = PROFILES["worst"]
    shares = (worst.hidden_share, worst.growing_share, worst.heavy_share, worst.reshaped_share)
    assert all(shares)
    kinds = {spell.kind for profile in PROFILES.values() for spell in profile.index_spells}
    assert kinds == {"stopped_index", "shrunken_index"}
    assert {spell.api for spell in PROFILES["shrinking"].index_spells} == set(INDEXED_APIS)


def test_a_spell_lasts_from_its_first_to_its_last_request():
    spell = IndexSpell("archive", "stopped_index", first_request=3, last_request=5)
    assert [number for number in range(1, 9) if spell.lasts_at(number)] == [3, 4, 5]
    endless = IndexSpell("archive", "stopped_index")
    assert endless.lasts_at(1)
    assert endless.lasts_at(1_000_000)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"api": "reddit"}, "reddit"),
        ({"kind": "stall"}, "stall"),
        ({"behind": timedelta()}, "behind"),
        ({"lost_share": 0.0}, "lost_share"),
        ({"lost_share": 1.1}, "lost_share"),
    ],
)
def test_a_spell_that_cannot_be_meant_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        IndexSpell(**{"api": "hackernews", "kind": "stopped_index", **settings})
