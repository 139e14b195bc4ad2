import pytest

from issue_pipeline.sandbox.apis.limits import Allowance


def test_a_window_counts_each_client_on_its_own_and_begins_again():
    now_s = 125.5
    allowance = Allowance(60, lambda: now_s)
    first, second = allowance.take("a", 2), allowance.take("a", 2)
    assert (first.used, first.remaining, second.used, second.remaining) == (1, 1, 2, 0)
    assert (second.resets_at_s, second.resets_in_s) == (180, 55)
    assert allowance.take("b", 2).used == 1
    now_s = 180.0
    assert allowance.take("a", 2).used == 1
    assert allowance.exceeded == 0


def test_requests_beyond_the_limit_are_counted_and_nothing_remains():
    allowance = Allowance(60, lambda: 0.0)
    usages = [allowance.take("a", 2) for _ in range(5)]
    assert allowance.exceeded == 3
    assert [usage.remaining for usage in usages] == [1, 0, 0, 0, 0]


def test_a_window_without_length_is_refused():
    with pytest.raises(ValueError, match="window_s"):
        Allowance(0)
