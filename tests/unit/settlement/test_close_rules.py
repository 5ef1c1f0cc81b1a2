"""The rules of the close: any order of events, any days, any modes; nothing twice, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.clock import to_rfc3339
from avarez.events.chain import Event, EventType, Head, Waiting, chained
from avarez.events.entries import event_of
from avarez.journal import check_balanced
from avarez.settlements import (
    Line,
    Settlement,
    batch_hash,
    batch_text,
    batches,
    lines_from,
    manifest_hash,
    settlement_from,
    settlement_item,
)
from functions.pay.settlement.rules import (
    Modes,
    Own,
    Plan,
    Position,
    Reckoning,
    closed_event,
    range_end,
    settlement_of,
    transfer_entry,
)
from functions.pay.settlement.statement import statement_csv, statement_json
from tests.independent_statement import statement

CITY = "SHIRAZ"
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moved:
    """What an event did, and when it happened."""

    hours: int
    kind: str
    payable_rial: int
    rounding_rial: int
    fee_rial: int
    gateway: str


MOVES = st.builds(
    Moved,
    hours=st.integers(0, 24 * 6 - 1),
    kind=st.sampled_from(["payment_settled", "refund_approved", "suspense_matched", "refund_paid", "certificate"]),
    payable_rial=st.integers(1, 10**9),
    rounding_rial=st.integers(0, 999),
    fee_rial=st.integers(0, 50_000),
    gateway=st.sampled_from(["sandbox", "sep", "bill:melli"]),
)
MODES = st.builds(
    Modes,
    mode=st.sampled_from(["collect", "direct"]),
    by_gateway=st.fixed_dictionaries({}, optional={"sep": st.sampled_from(["collect", "direct"])}),
)


def waiting(number: int, moved: Moved) -> Waiting:
    """The event of what was done, made of plain data."""
    at, sign = START + timedelta(hours=moved.hours), -1 if moved.kind == "refund_approved" else 1
    if moved.kind == "certificate":
        return Waiting(f"ev_{number}", EventType.CERTIFICATE_ISSUED, CITY, "py_1", at, {"certificate": {}})
    channel, _, name = moved.gateway.rpartition(":")
    clearing = f"{channel or 'gateway'}_clearing:{name}"
    credited = {
        f"municipality_payable:{CITY}": sign * moved.payable_rial,
        f"municipality_rounding:{CITY}": sign * moved.rounding_rial,
        "office_fee:OFFICE-1": sign * moved.fee_rial,
    }
    if moved.kind == "refund_paid":
        credited = {"refunds_payable": -moved.payable_rial}
    other = "suspense" if moved.kind == "suspense_matched" else clearing
    credited[other] = -sum(credited.values())
    postings = [
        {"account": account, "debit_rial": str(max(-rial, 0)), "credit_rial": str(max(rial, 0))}
        for account, rial in credited.items()
        if rial
    ]
    entry = {
        "kind": moved.kind,
        "day": at.date().isoformat(),
        "reference": f"r{number}",
        "years": [],
        "postings": postings,
    }
    payment = {
        "payment_id": f"py_{number}",
        "channel": channel or "gateway",
        "gateway": name,
        "plate": "12B345-67",
    }
    return Waiting(
        f"ev_{number}", EventType.PAYMENT_SETTLED, CITY, f"py_{number}", at, {"entry": entry, "payment": payment}
    )


def in_chain(told: Sequence[Waiting], head: Head) -> tuple[list[Event], Head]:
    events = []
    for one in told:
        event = chained(one, sequence=head.sequence + 1, previous_hash=head.hash)
        head = replace(head, sequence=event.sequence, hash=event.hash)
        events.append(event)
    return events, head


def closes_of(
    moves: Sequence[Moved], modes: Modes, days: int
) -> tuple[list[Event], list[tuple[Settlement, list[Line]]]]:
    """Six days of events in the order that they came in, closed day by day; what closes book comes in between."""
    events, head = in_chain([waiting(number, moved) for number, moved in enumerate(moves)], Head(CITY))
    position, made = Position(), []
    for number in range(1, days + 1):
        ends_at = START + number * DAY
        behind = events[position.to_sequence :]
        to_sequence, _ = range_end(behind, position.to_sequence, ends_at)
        plan = Plan(
            settlement_id=f"st_{number}",
            event_id=f"ev_close_{number}",
            journal_id=f"je_{number}",
            municipality=CITY,
            number=number,
            day=(ends_at - DAY).date().isoformat(),
            ends_at=to_rfc3339(ends_at),
            early=False,
            from_sequence=position.to_sequence + 1,
            to_sequence=to_sequence,
            modes=modes,
            before=position,
            planned_at=to_rfc3339(ends_at + timedelta(minutes=10)),
            planned_by="schedule",
        )
        within = [event for event in events if plan.from_sequence <= event.sequence <= to_sequence]
        reckoning = Reckoning.of(plan)
        lines = [line for line in map(reckoning.take, within) if line is not None]
        close, again, position = settlement_of(plan, within)
        assert again == lines
        booked = [closed_event(plan, close)]
        if close.transfer_rial:
            entry = transfer_entry(plan, reckoning.due())
            check_balanced(entry.postings, "transfer")
            booked.append(event_of(entry))
        behind_it, head = in_chain(booked, head)
        events += behind_it
        made.append((close, lines))
    return events, made


@given(moves=st.lists(MOVES, max_size=40), modes=MODES)
@settings(max_examples=60, deadline=None)
def test_closes_partition_the_chain_and_say_what_events_say(moves: list[Moved], modes: Modes) -> None:
    events, made = closes_of(moves, modes, 7)
    plain = [dict(event.data) for event in events]
    last, balance_rial = 0, 0
    for close, lines in made:
        assert close.from_sequence == last + 1
        last = close.to_sequence
        assert close.opening_rial == balance_rial
        alone = statement(plain, CITY, close.from_sequence, close.to_sequence)
        assert [(line.sequence, line.city_rial, line.balance_rial) for line in lines] == alone["lines"]
        assert (close.opening_rial, close.closing_rial) == (alone["opening_rial"], alone["closing_rial"])
        assert close.closing_rial == close.opening_rial + sum(line.city_rial for line in lines)
        assert sum(one.city_rial for one in close.sums) == close.closing_rial - close.opening_rial
        assert sum(one.count for one in close.sums) == close.lines == len(lines)
        assert close.late_lines == sum(line.late for line in lines)
        balance_rial = close.closing_rial
    sequences = [line.sequence for _, lines in made for line in lines]
    assert len(sequences) == len(set(sequences))
    moving = {row[0] for row in statement(plain, CITY, 1, last)["lines"]}
    assert set(sequences) == moving  # none missing, none twice


@given(moves=st.lists(MOVES, max_size=40), modes=MODES)
@settings(max_examples=60, deadline=None)
def test_what_is_paid_on_is_what_came_to_our_account_to_the_rial(moves: list[Moved], modes: Modes) -> None:
    _, made = closes_of(moves, modes, 8)
    collected_rial, paid_rial = 0, 0
    for close, lines in made:
        for line in lines:
            ours = line.entry_kind == "suspense_matched" or not modes.direct(line.operator)
            collected_rial += line.city_rial if ours and line.kind != "transfer" else 0
        assert close.transfer_rial == max(collected_rial - paid_rial, 0)
        paid_rial += close.transfer_rial
    direct_rial = sum(of.city_rial for close, _ in made for of in close.direct_days)
    assert direct_rial == sum(
        line.city_rial
        for _, lines in made
        for line in lines
        if line.kind == "payment" and line.entry_kind != "suspense_matched" and modes.direct(line.operator)
    )


@given(moves=st.lists(MOVES, min_size=1, max_size=40), order=st.randoms())
@settings(max_examples=40, deadline=None)
def test_events_in_any_order_give_the_same_total_and_late_ones_are_marked(moves: list[Moved], order: Any) -> None:
    modes = Modes()
    _, straight = closes_of(sorted(moves, key=lambda moved: moved.hours), modes, 7)
    shuffled = list(moves)
    order.shuffle(shuffled)
    _, mixed = closes_of(shuffled, modes, 7)
    assert straight[-1][0].late_lines == 0
    assert sum(close.transfer_rial for close, _ in straight) >= 0
    totals = [
        sum(line.city_rial for _, lines in made for line in lines if line.kind != "transfer")
        for made in (straight, mixed)
    ]
    assert totals[0] == totals[1]
    for close, lines in mixed:
        begins = to_rfc3339(datetime.fromisoformat(close.cutoff_at) - DAY) if close.number > 1 else ""
        assert all(line.late == (line.occurred_at < begins) for line in lines)


@given(moves=st.lists(MOVES, max_size=80), modes=MODES)
@settings(max_examples=30, deadline=None)
def test_what_is_kept_is_read_back_and_its_manifest_names_the_lines(moves: list[Moved], modes: Modes) -> None:
    _, made = closes_of(moves, modes, 7)
    for close, lines in made:
        assert settlement_from(settlement_item(close)) == close
        kept = [batch_text(batch) for batch in batches(lines)]
        assert [line for text in kept for line in lines_from(text)] == lines
        assert close.manifest_hash == manifest_hash([batch_hash(lines_from(text)) for text in kept])
        told = statement_json(close, lines, 1)
        assert [int(line["city_rial"]) for line in told["statement"]] == [line.city_rial for line in lines]
        assert statement_csv(close, lines).count("\r\n") == len(lines) + 3


def test_due_of_a_negative_part_is_still_a_balanced_entry() -> None:
    plan = Plan(
        "st_1", "ev_1", "je_1", CITY, 1, "2026-11-23", to_rfc3339(START), False, 1, 0, Modes(),
        Position(), to_rfc3339(START), "schedule",
    )  # fmt: skip
    entry = transfer_entry(plan, Own(1_000, -400))
    check_balanced(entry.postings, "transfer")
    assert {posting.account: posting.credit_rial - posting.debit_rial for posting in entry.postings} == {
        f"municipality_payable:{CITY}": -1_000,
        f"municipality_rounding:{CITY}": 400,
        f"municipality_transfer:{CITY}": 600,
    }


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@a", "\tx", "＝1"])
def test_csv_computes_nothing(text: str) -> None:
    line = Line(
        1, "ev_1", "payment", "payment_settled", to_rfc3339(START), False, "py_1", "12B345-67", (1404,),
        "sandbox", text, "", 10, 0, 0, -10, -10,
    )  # fmt: skip
    _, made = closes_of([], Modes(), 1)
    row = statement_csv(made[0][0], [line]).split("\r\n")[2]
    assert f"\"'{text.strip()}" in row.replace("\t", "")
    assert row.endswith(",10,0,0,-10,-10")
