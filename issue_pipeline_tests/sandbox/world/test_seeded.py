"""Seeded randomness depends on the parts alone."""

from issue_pipeline.sandbox.world.seeded import seeded_random, stable_hash


def test_equal_parts_give_equal_numbers_and_other_parts_others() -> None:
    assert seeded_random(7, "a", 1).random() == seeded_random(7, "a", 1).random()
    assert seeded_random(7, "a", 1).random() != seeded_random(7, "a", 2).random()


def test_parts_do_not_run_into_one_another() -> None:
    assert stable_hash("ab", "c") != stable_hash("a", "bc")


def test_the_hash_never_changes() -> None:
    # Post numbers, days and times hang on it; a demo's records would all be new.
    assert stable_hash("deal", "x") == 6728448775169202355
