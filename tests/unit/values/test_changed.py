"""Records with a few members changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from avarez.changed import changed
from avarez.events.chain import GENESIS, EventType, Waiting, chained, hash_of


@dataclass(frozen=True, slots=True)
class Sum:
    """Two numbers that come to ten."""

    one: int
    two: int = 5

    def __post_init__(self) -> None:
        if self.one + self.two != 10:
            raise ValueError("not ten")


def test_changed_record_is_what_replace_makes_of_it() -> None:
    before = Sum(5)
    assert changed(before, one=3, two=7) == replace(before, one=3, two=7) == Sum(3, 7)
    assert changed(before) == before
    assert before == Sum(5, 5)


def test_changed_record_is_held_to_its_own_checks() -> None:
    with pytest.raises(ValueError, match="not ten"):
        changed(Sum(5), one=4)


def test_member_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(KeyError):
        changed(Sum(5), three=3)


def test_event_is_under_the_hash_of_its_canonical_form_and_its_text_is_that_form() -> None:
    waiting = Waiting(
        event_id="ev_1",
        type=EventType.ACCOUNT_CHANGED,
        municipality="TEHRAN",
        about="TEHRAN",
        occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
        content={"account": {"by": "شهرداری"}, "zone": "a", "hashes": ["x"]},
    )
    event = chained(waiting, sequence=1, previous_hash=GENESIS)
    assert event.hash == hash_of(event.data)
    assert event.text == replace(event, text="").canonical
