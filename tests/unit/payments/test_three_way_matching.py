"""The rules of the reconciliation: golden days by hand, every pair of words, and ages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from functions.pay.gateways.day_reports import ReportLine
from functions.pay.three_way.matching import (
    EXPLAINED,
    WAITING,
    Item,
    Ours,
    Owner,
    State,
    age_days,
    bank_item,
    bucket,
    is_closed,
    match,
    needs_somebody,
    owner_of,
    state_of,
    totals,
)
from functions.pay.three_way.results import percent

DAY = date(2026, 11, 23)


def ours(reference: str = "r1", taken_rial: int = 1_000_000, **more: object) -> Ours:
    values: dict[str, object] = {"booked_rial": taken_rial, "orders": frozenset({f"py_{reference}"}), **more}
    return Ours(reference, f"py_{reference}", "TEHRAN", taken_rial, **values)  # type: ignore[arg-type]  # a few of many


def line(
    reference: str = "r1", amount_rial: int = 1_000_000, state: str = "confirmed", order: str = ""
) -> ReportLine:
    return ReportLine(reference, order or f"py_{reference}", amount_rial, state)  # type: ignore[arg-type]  # a word of three


def matched(
    own: list[Ours], told: list[ReportLine], elsewhere: list[ReportLine] | None = None, *, reported: bool = True
) -> list[Item]:
    beside: dict[str, list[ReportLine]] = {}
    for one in elsewhere or []:
        beside.setdefault(one.reference, []).append(one)
    known = {"py_lost": ("py_lost", "SHIRAZ")}
    return match("sandbox", {of.reference: of for of in own}, told, beside, reported=reported, known=known)


@pytest.mark.parametrize(
    ("own", "told", "state"),
    [
        (ours(), line(), State.MATCHED),
        (ours(), line(amount_rial=999_999), State.AMOUNTS_DIFFER),
        (ours(), line(amount_rial=10_000_000), State.AMOUNTS_DIFFER),
        (ours(), line(state="paid"), State.STATES_DIFFER),
        (ours(), line(state="returned"), State.STATES_DIFFER),
        (ours(), None, State.ONLY_OURS),
        (ours(going=True), line(), State.MATCHED),
        (ours(going=True), line(state="returned"), State.RETURNED),
        (ours(gone=True), line(), State.STATES_DIFFER),
        (ours(gone=True), line(state="returned"), State.RETURNED),
        (ours(gone=True), line(state="returned", amount_rial=5), State.AMOUNTS_DIFFER),
        (ours(taken_rial=0, booked_rial=None), line(), State.ONLY_THEIRS),
        (ours(taken_rial=0, booked_rial=None), line(state="paid"), State.AWAITS_RETURN),
        (ours(booked_rial=1), line(), State.BOOKS_DIFFER),
        (ours(taken_rial=0, booked_rial=5), None, State.BOOKS_DIFFER),
        (None, line(), State.ONLY_THEIRS),
        (None, line(state="paid"), State.AWAITS_RETURN),
        (None, line(state="returned"), State.RETURNED),
    ],
)
def test_two_books_and_what_follows(own: Ours | None, told: ReportLine | None, state: State) -> None:
    assert state_of(own, told, reported=True) is state


def test_without_a_report_what_is_ours_waits_for_it() -> None:
    assert state_of(ours(), None, reported=False) is State.AWAITS_REPORT
    with pytest.raises(ValueError):
        state_of(None, None, reported=True)


def test_golden_day() -> None:
    """Four payments of 1,000,000 rial: one agreed, one a rial short, one that came back, one that only we have."""
    told = [line("a"), line("b", 999_999), line("c", state="returned"), line("lost", 7, "confirmed", "py_lost")]
    items = matched([ours("a"), ours("b"), ours("d")], told)
    assert [(item.reference, item.state, item.owner, item.unexplained_rial) for item in items] == [
        ("a", State.MATCHED, Owner.US, 0),
        ("b", State.AMOUNTS_DIFFER, Owner.US, 1),
        ("c", State.RETURNED, Owner.US, 0),
        ("d", State.ONLY_OURS, Owner.GATEWAY, 1_000_000),
        ("lost", State.ONLY_THEIRS, Owner.US, 7),
    ]
    assert (items[-1].payment_id, items[-1].municipality) == ("py_lost", "SHIRAZ")
    summed = totals(items)
    assert summed.rial[State.MATCHED] + summed.rial[State.RETURNED] == 2_000_000
    assert summed.unexplained_rial == 1_000_008
    assert percent(summed.explained_ppm) == "49.999"
    assert not is_closed(items)
    assert percent(totals([items[0], items[2]]).explained_ppm) == percent(totals([]).explained_ppm) == "100.000"


def test_equal_amounts_and_days_match_nothing_by_themselves() -> None:
    states = {item.reference: item.state for item in matched([ours("a")], [line("b", order="x")])}
    assert states == {"a": State.ONLY_OURS, "b": State.ONLY_THEIRS}


def test_payment_of_midnight_is_found_in_the_report_beside_and_paid_out_with_that_day() -> None:
    (item,) = matched([ours("a")], [], [line("a")])
    assert (item.state, item.of_day) == (State.MATCHED, False)
    (item,) = matched([ours("a")], [line("a")])
    assert item.of_day


def test_reference_that_was_given_to_two_payments_is_told_apart_by_the_order() -> None:
    twice = [line("a", 5, "returned", "py_other"), line("a", order="py_a")]
    for told in (twice, twice[::-1]):
        items = matched([ours("a")], told)
        assert sorted((item.state, item.ours_rial, item.theirs_rial) for item in items) == [
            (State.MATCHED, 1_000_000, 1_000_000),
            (State.RETURNED, 0, 5),
        ]


@pytest.mark.parametrize(
    ("expected_rial", "arrived_rial", "state", "open_rial"),
    [
        (100, 100, State.MATCHED, 0),
        (100, 0, State.AWAITS_BANK, 100),
        (100, 40, State.AWAITS_BANK, 60),
        (100, 101, State.BANK_DIFFERS, 1),
        (0, 100, State.BANK_DIFFERS, 100),
    ],
)
def test_bank_has_all_less_or_more(expected_rial: int, arrived_rial: int, state: State, open_rial: int) -> None:
    item = bank_item("sandbox", "NATIONAL", expected_rial, arrived_rial, national="NATIONAL")
    assert (item.state, item.open_rial) == (state, open_rial)
    assert bank_item("sandbox", "TEHRAN", expected_rial, arrived_rial, national="NATIONAL").owner is Owner.CITY


def test_every_state_has_an_owner_and_terminals_are_their_offices() -> None:
    assert {owner_of(state, "sandbox") for state in State} == {Owner.US, Owner.GATEWAY, Owner.BANK}
    assert owner_of(State.ONLY_OURS, "pos:saman") is Owner.OFFICE


def test_differences_are_tasks_at_once_and_waiting_ones_when_their_time_is_over() -> None:
    (short,) = matched([ours("a")], [line("a", 5)])
    (waiting,) = matched([], [line("b", state="paid")])
    assert needs_somebody(short, DAY, datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert not needs_somebody(waiting, DAY, datetime(2026, 11, 25, 9, tzinfo=UTC))
    assert needs_somebody(waiting, DAY, datetime(2026, 11, 26, 9, tzinfo=UTC))
    assert waiting.waiting_rial == 1_000_000
    assert waiting.unexplained_rial == short.waiting_rial == 0
    assert not EXPLAINED & WAITING


@pytest.mark.parametrize(
    ("days", "name"), [(0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3"), (7, "4-7"), (8, "8-30"), (31, "31+")]
)
def test_ages_fall_into_buckets(days: int, name: str) -> None:
    assert bucket(days) == name


def test_age_counts_tehran_days() -> None:
    assert age_days(DAY, datetime(2026, 11, 23, 20, 29, tzinfo=UTC)) == 0
    assert age_days(DAY, datetime(2026, 11, 23, 20, 31, tzinfo=UTC)) == 1
    assert age_days(DAY, datetime(2026, 11, 20, tzinfo=UTC)) == 0
