"""Slots are filled the same way for the same generator, and consistently within a post."""

import random

import pytest

from issue_pipeline.sandbox.world.slots import SLOTS, SlotFiller, slots_of


def test_every_known_slot_is_filled_with_something() -> None:
    text = " ".join(f"{{{slot}}}" for slot in sorted(SLOTS))
    filled = SlotFiller(random.Random(1)).fill(text)
    assert not slots_of(filled)
    assert "  " not in filled


def test_the_same_generator_fills_the_same_way() -> None:
    text = "{n} of {company} in {city} since {month}, {amount} lost"
    assert SlotFiller(random.Random(3)).fill(text) == SlotFiller(random.Random(3)).fill(text)


def test_a_post_stays_in_its_city_and_on_its_version() -> None:
    slots = SlotFiller(random.Random(5))
    for slot in ("city", "company", "version", "os", "person"):
        assert slots.value(slot) == slots.value(slot)


def test_numbers_of_a_post_differ() -> None:
    slots = SlotFiller(random.Random(5))
    assert len({slots.value("n") for _ in range(20)}) > 10


def test_an_unknown_slot_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="colour"):
        SlotFiller(random.Random(1)).fill("{colour}")


def test_text_without_slots_is_left_alone() -> None:
    assert SlotFiller(random.Random(1)).fill("} plain { text") == "} plain { text"
