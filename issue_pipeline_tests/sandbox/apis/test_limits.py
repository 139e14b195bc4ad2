import pytest

from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.limits import Allowance


def test_a_window_counts_each_client_on_its_own_and_begins_again():
    now_s = 125.5
    conduct = Conduct()
    allowance = Allowance("search", 60, conduct, lambda: now_s)
    first, second = allowance.take("a", 2), allowance.take("a", 2)
    assert (first.used, first.remaining, second.used, second.remaining) == (1, 1, 2, 0)
    assert (second.resets_at_s, second.resets_in_s) == (180, 55)
    assert allowance.take("b", 2).used == 1
    now_s = 180.0
    assert allowance.take("a", 2).used == 1
    assert conduct.violations == {}


def test_requests_beyond_the_limit_are_violations_and_those_after_a_refusal_also_too_early():
    conduct = Conduct()
    allowance = Allowance("search", 60, conduct, lambda: 0.0)
    usages = [allowance.take("a", 2) for _ in range(5)]
    assert conduct.over_limit == 3
    assert [usage.remaining for usage in usages] == [1, 0, 0, 0, 0]
    assert [usage.is_exceeded for usage in usages] == [False, False, True, True, True]
    assert conduct.violations == {"search": 3, "too_early": 2}


def test_waits_are_told_in_whole_seconds_however_short_the_window():
    usage = Allowance("search", 0.1, Conduct(), lambda: 7.25).take("a", 2)
    assert (usage.resets_at_s, usage.resets_in_s) == (8, 1)


def test_a_window_without_length_is_refused():
    with pytest.raises(ValueError, match="window_s"):
        Allowance("search", 0, Conduct())
