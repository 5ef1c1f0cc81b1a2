"""Whatever the order in which the three sides come, and however often, the end is the same."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.pay.gateways.day_reports import ReportLine
from functions.pay.three_way.matching import EXPLAINED, Ours, State, bank_item, match, totals

EXAMPLES = 2_000 if os.environ.get("AVAREZ_PROVE") == "1" else 150
DAY = date(2026, 11, 23)
AMOUNTS = st.sampled_from([1_000, 1_235_000, 1_235_001, 12_350_000])
"""Few amounts, so that many payments of a day have the same one."""
WORDS = st.sampled_from(["paid", "confirmed", "returned"])

ours = st.builds(
    lambda number, rial, going, gone: Ours(
        f"r{number}",
        f"py_{number}",
        "TEHRAN",
        rial,
        booked_rial=rial,
        going=going,
        gone=gone,
        orders=frozenset({f"py_{number}"}),
    ),
    st.integers(0, 12),
    AMOUNTS,
    st.booleans(),
    st.booleans(),
)
lines = st.builds(
    lambda number, rial, word: ReportLine(f"r{number}", f"py_{number}", rial, word),
    st.integers(0, 15),
    AMOUNTS,
    WORDS,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(ours, unique_by=lambda of: of.reference), st.lists(lines, unique_by=lambda of: of.key), st.data())
def test_order_of_what_comes_in_does_not_matter(own: list[Ours], told: list[ReportLine], data: Any) -> None:
    first = match("sandbox", {of.reference: of for of in own}, told, {}, reported=True, known={})
    shuffled_own, shuffled = data.draw(st.permutations(own)), data.draw(st.permutations(told))
    again = {of.reference: of for of in shuffled_own}
    assert match("sandbox", again, shuffled, {}, reported=True, known={}) == first


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(ours, unique_by=lambda of: of.reference), st.lists(lines, unique_by=lambda of: of.key))
def test_every_rial_of_either_side_is_in_one_item_and_nothing_is_guessed(
    own: list[Ours], told: list[ReportLine]
) -> None:
    items = match("sandbox", {of.reference: of for of in own}, told, {}, reported=True, known={})
    assert sum(item.ours_rial for item in items) == sum(of.taken_rial for of in own)
    assert sum(item.theirs_rial for item in items) == sum(of.amount_rial for of in told)
    by_reference = {line.reference: line for line in told}
    for item in items:
        if item.state is State.MATCHED:
            line = by_reference[item.reference]
            assert (line.state, line.amount_rial) == ("confirmed", item.ours_rial)
        if item.ours_rial and item.reference not in by_reference:
            assert item.state is State.ONLY_OURS
    summed = totals(items)
    assert (summed.explained_ppm == 1_000_000) == all(item.state in EXPLAINED for item in items)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=8), st.data())
def test_cycles_of_a_day_close_it_in_any_order_and_not_before_the_last(parts: list[int], data: Any) -> None:
    arrived_rial = 0
    for part in data.draw(st.permutations(parts)):
        before = bank_item("sandbox", "NATIONAL", sum(parts), arrived_rial, national="NATIONAL")
        assert (before.state, before.waiting_rial > 0) == (State.AWAITS_BANK, True)
        arrived_rial += part
    after = bank_item("sandbox", "NATIONAL", sum(parts), arrived_rial, national="NATIONAL")
    assert (after.state, after.open_rial) == (State.MATCHED, 0)
