"""The rules of the daily close: which events it holds, what each did to a city's balance, what is paid on. Pure.

Obligations, by number:
1. A close begins behind the last event of the close before it, and ends before the first event of a later day (or
   at the chain's head): every event stands in exactly one close, whatever order events came in.
2. An event that happened on an earlier day than the close's is in it all the same, and says so.
3. The balance is the sum of the postings to the city's two accounts, and of nothing else.
4. What is paid on is what the city's balance at our side has, less what earlier closes have paid on already.
   Nothing is paid on while that is negative: the next closes make up for it.

Law: the 1400 law, art. 41: duty and penalty belong to the municipality of residence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from avarez.clock import from_rfc3339
from avarez.events.chain import GENESIS, Event, EventType, Waiting
from avarez.journal import JournalEntry, booked, signed
from avarez.money import parse_rial
from avarez.settlements import (
    DirectDay,
    Line,
    LineKind,
    Settlement,
    Sum,
    batch_hash,
    batches,
    manifest_hash,
    settlement_json,
    transfer_reference,
)
from functions.pay.rules.ledger import BANK, PLATFORM_FEE, municipality_payable, municipality_rounding, office_fee
from functions.pay.rules.settling import municipality_received, operator_of_account

TRANSFER_ENTRY: Final = "settlement_transfer"
"""Kind of the entry by which a close is paid on."""
ARRIVAL_ENTRY: Final = "transfer_arrived"
"""Kind of the entry by which a transfer has left our account."""
_PAYMENTS: Final = frozenset({"payment_settled", "suspense_matched"})
_OFFICE_FEE: Final = office_fee("")


def municipality_transfer(municipality: str) -> str:
    """What was paid on to a city and is on its way: nothing once the bank's line is there."""
    return f"municipality_transfer:{municipality}"


@dataclass(frozen=True, slots=True)
class Own:
    """What a city is owed: duty and penalty, and what comes from rounding up."""

    payable_rial: int = 0
    rounding_rial: int = 0

    @property
    def rial(self) -> int:
        return self.payable_rial + self.rounding_rial

    def plus(self, other: Own) -> Own:
        return Own(self.payable_rial + other.payable_rial, self.rounding_rial + other.rounding_rial)

    def less(self, other: Own) -> Own:
        return Own(self.payable_rial - other.payable_rial, self.rounding_rial - other.rounding_rial)


@dataclass(frozen=True, slots=True)
class Modes:
    """Which gateways pay straight to the city: `settlement_modes` by gateway, else the city's own mode.

    Only gateways can split; bills and terminals always come to our account.
    """

    mode: str = "collect"
    by_gateway: Mapping[str, str] | None = None

    def direct(self, operator: str) -> bool:
        if not operator or ":" in operator:
            return False
        return ((self.by_gateway or {}).get(operator) or self.mode) == "direct"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a city's closes stand: the last one's number, day and end, and the balances that it left.

    `cutoff_at` is where the last close's day ended. `collected` is what is owed from money at our account,
    `direct` from money that gateways pay to the city; `on_the_way`, negative, is what transfers have been booked
    for whose entries no close has seen yet.
    """

    number: int = 0
    settlement_id: str = ""
    day: str = ""
    cutoff_at: str = ""
    to_sequence: int = 0
    last_hash: str = GENESIS
    collected: Own = Own()
    direct: Own = Own()
    on_the_way: Own = Own()

    @property
    def closing_rial(self) -> int:
        return self.collected.rial + self.direct.rial


@dataclass(frozen=True, slots=True)
class Plan:
    """What one close will be, fixed before anything of it is written; whoever goes on with it comes to the same.

    `before` is the position it follows: what happened before its `cutoff_at` is late. `ends_at` is the day's end.
    """

    settlement_id: str
    event_id: str
    journal_id: str
    municipality: str
    number: int
    day: str
    ends_at: str
    early: bool
    from_sequence: int
    to_sequence: int
    modes: Modes
    before: Position
    planned_at: str
    planned_by: str


def range_end(events: Iterable[Event], after: int, ends_at: datetime) -> tuple[int, bool]:
    """The last event of a day that begins after `after`, and whether a later day's event stands behind it. (1)"""
    last = after
    for event in events:
        if from_rfc3339(str(event.data["occurred_at"])) >= ends_at:
            return last, True
        last = event.sequence
    return last, False


# --- lines -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reckoning:
    """A close while its events are read, in order: the balances so far, and what its lines come to."""

    plan: Plan
    collected: Own
    direct: Own
    on_the_way: Own
    first_hash: str = ""
    last_hash: str = ""
    lines: int = 0
    late_lines: int = 0
    late_rial: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    direct_days: dict[tuple[str, str], int] = field(default_factory=dict)

    @staticmethod
    def of(plan: Plan) -> Reckoning:
        """Before the first event."""
        before = plan.before
        return Reckoning(
            plan, before.collected, before.direct, before.on_the_way, before.last_hash, before.last_hash
        )

    def take(self, event: Event) -> Line | None:
        """The line of this event, now reckoned in; None for one that moves no money of the city."""
        self.first_hash = event.hash if event.sequence == self.plan.from_sequence else self.first_hash
        self.last_hash = event.hash
        moved = movement(event.data, self.plan.municipality)
        if moved == Own():
            return None
        kind = kind_of(event.data)
        operator = operator_of(event.data)
        if kind is LineKind.PAID_DIRECT or (kind is not LineKind.TRANSFER and self._direct(event.data, operator)):
            self.direct = self.direct.plus(moved)
            if kind is LineKind.PAYMENT:
                key = operator, str(event.data["entry"]["day"])
                self.direct_days[key] = self.direct_days.get(key, 0) + moved.rial
        else:
            self.collected = self.collected.plus(moved)
        if kind is LineKind.TRANSFER:
            self.on_the_way = self.on_the_way.less(moved)
        return self._reckoned(self._line(event.data, kind, operator, moved))

    def _direct(self, data: Mapping[str, Any], operator: str) -> bool:
        # Money that lay in suspense came to our account, whoever brought it.
        return data["entry"]["kind"] != "suspense_matched" and self.plan.modes.direct(operator)

    def _line(self, data: Mapping[str, Any], kind: LineKind, operator: str, moved: Own) -> Line:
        entry, payment = data["entry"], data.get("payment", {})
        fee_rial = fees(data) if kind in (LineKind.PAYMENT, LineKind.REFUND) else 0
        from_payer = moved.rial + fee_rial if kind in (LineKind.PAYMENT, LineKind.REFUND) else 0
        return Line(
            sequence=int(data["sequence"]),
            event_id=str(data["event_id"]),
            kind=kind.value,
            entry_kind=str(entry["kind"]),
            occurred_at=str(data["occurred_at"]),
            late=str(data["occurred_at"]) < self.plan.before.cutoff_at,
            payment_id=str(payment.get("payment_id", "")),
            plate=str(payment.get("plate", "")),
            years=tuple(int(part["year"]) for part in entry["years"]),
            operator=operator,
            reference=str(entry["reference"]),
            certificate_id=str(payment.get("certificate_id", "")),
            paid_rial=from_payer,
            fee_rial=fee_rial,
            rounding_rial=moved.rounding_rial,
            city_rial=moved.rial,
            balance_rial=self.collected.rial + self.direct.rial,
        )

    def _reckoned(self, line: Line) -> Line:
        self.lines += 1
        if line.late:
            self.late_lines += 1
            self.late_rial += line.city_rial
        before = self.sums.get(line.kind, Sum(line.kind, 0, 0, 0, 0, 0))
        self.sums[line.kind] = Sum(
            line.kind,
            before.count + 1,
            before.paid_rial + line.paid_rial,
            before.fee_rial + line.fee_rial,
            before.rounding_rial + line.rounding_rial,
            before.city_rial + line.city_rial,
        )
        return line

    def due(self) -> Own:
        """What this close pays on; nothing while it is not positive. (4)"""
        free = self.collected.plus(self.on_the_way)
        return free if free.rial > 0 else Own()

    def closed(self, batch_hashes: Sequence[str]) -> Settlement:
        """The close, once every event is taken."""
        plan, order = self.plan, [kind.value for kind in LineKind]
        sums = sorted(self.sums.values(), key=lambda one: order.index(one.kind))
        return Settlement(
            settlement_id=plan.settlement_id,
            municipality=plan.municipality,
            number=plan.number,
            day=plan.day,
            cutoff_at=plan.ends_at,
            early=plan.early,
            from_sequence=plan.from_sequence,
            to_sequence=plan.to_sequence,
            after_hash=plan.before.last_hash,
            first_hash=self.first_hash,
            last_hash=self.last_hash,
            opening_rial=plan.before.closing_rial,
            closing_rial=self.collected.rial + self.direct.rial,
            direct_rial=self.direct.rial,
            transfer_rial=self.due().rial,
            lines=self.lines,
            late_lines=self.late_lines,
            late_rial=self.late_rial,
            sums=tuple(sums),
            direct_days=tuple(DirectDay(*key, rial) for key, rial in sorted(self.direct_days.items())),
            manifest_hash=manifest_hash(batch_hashes),
            closed_at=plan.planned_at,
            closed_by=plan.planned_by,
        )

    def after(self) -> Position:
        """The position that the close leaves: what it pays on is on its way."""
        plan = self.plan
        return Position(
            number=plan.number,
            settlement_id=plan.settlement_id,
            day=plan.day,
            cutoff_at=plan.ends_at,
            to_sequence=plan.to_sequence,
            last_hash=self.last_hash,
            collected=self.collected,
            direct=self.direct,
            on_the_way=self.on_the_way.less(self.due()),
        )


def reckoned(plan: Plan, events: Iterable[Event]) -> tuple[Reckoning, list[Line]]:
    """The whole close of a range at once, and its lines."""
    reckoning = Reckoning.of(plan)
    lines = [line for line in map(reckoning.take, events) if line is not None]
    return reckoning, lines


def settlement_of(plan: Plan, events: Iterable[Event]) -> tuple[Settlement, list[Line], Position]:
    """The close of a range, its lines, and where it leaves the city."""
    reckoning, lines = reckoned(plan, events)
    return reckoning.closed([batch_hash(batch) for batch in batches(lines)]), lines, reckoning.after()


# --- what an event did -----------------------------------------------------------------------------------


def movement(data: Mapping[str, Any], municipality: str) -> Own:
    """What the event's entry did to what the city is owed; nothing for an event without an entry. (3)"""
    payable, rounding = municipality_payable(municipality), municipality_rounding(municipality)
    credited = {payable: 0, rounding: 0}
    for posting in _told(data):
        if posting["account"] in credited:
            credited[posting["account"]] += _credit_rial(posting)
    return Own(credited[payable], credited[rounding])


def fees(data: Mapping[str, Any]) -> int:
    """What of the event's entry went to an office and to the platform; negative where it went back."""
    mine = (PLATFORM_FEE, _OFFICE_FEE)
    return sum(rial for account, rial in postings(data) if account == mine[0] or account.startswith(mine[1]))


def postings(data: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Account and credit (negative where debited) of each posting of the event's entry."""
    for posting in _told(data):
        yield str(posting["account"]), _credit_rial(posting)


def _told(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    told: Sequence[Mapping[str, Any]] = data.get("entry", {}).get("postings", ())
    return told


def _credit_rial(posting: Mapping[str, Any]) -> int:
    return parse_rial(posting["credit_rial"]) - parse_rial(posting["debit_rial"])


def kind_of(data: Mapping[str, Any]) -> LineKind:
    """Which kind of line the event's entry makes."""
    kind = str(data["entry"]["kind"])
    if kind in _PAYMENTS:
        return LineKind.PAYMENT
    if kind == "refund_approved":
        return LineKind.REFUND
    if kind == TRANSFER_ENTRY:
        return LineKind.TRANSFER
    received = municipality_received(str(data["municipality"]))
    if kind == "gateway_paid_out" and any(account == received for account, _ in postings(data)):
        return LineKind.PAID_DIRECT
    return LineKind.CORRECTION


def operator_of(data: Mapping[str, Any]) -> str:
    """Which gateway, acquirer or bank the event's money came by; empty where none did."""
    found = [operator_of_account(str(posting["account"])) for posting in _told(data)]
    named = next((name for name in found if name), "")
    payment = data.get("payment", {})
    if named or not payment:
        return named
    channel, gateway = str(payment.get("channel", "")), str(payment.get("gateway", ""))
    return gateway if channel == "gateway" or not gateway else f"{channel}:{gateway}"


# --- what a close books ----------------------------------------------------------------------------------


def closed_event(plan: Plan, settlement: Settlement) -> Waiting:
    """What the city is told: the close itself."""
    return Waiting(
        event_id=plan.event_id,
        type=EventType.SETTLEMENT_CLOSED,
        municipality=plan.municipality,
        about=plan.settlement_id,
        occurred_at=from_rfc3339(plan.planned_at),
        content={"settlement": settlement_json(settlement)},
    )


def transfer_entry(plan: Plan, due: Own) -> JournalEntry:
    """The entry by which a close is paid on: out of what the city is owed, onto the way."""
    city = plan.municipality
    made = [
        *signed(municipality_payable(city), -due.payable_rial),
        *signed(municipality_rounding(city), -due.rounding_rial),
        *signed(municipality_transfer(city), due.rial),
    ]
    return booked(
        journal_id=plan.journal_id,
        payment_id=plan.settlement_id,
        municipality=city,
        kind=TRANSFER_ENTRY,
        postings=made,
        now=from_rfc3339(plan.planned_at),
        reference=transfer_reference(city, plan.number),
        cause=plan.settlement_id,
    )


def arrival_entry(
    municipality: str, settlement_id: str, number: int, rial: int, *, line_id: str, journal_id: str, now: datetime
) -> JournalEntry:
    """The entry of a transfer that has left our account, by the bank's line."""
    return booked(
        journal_id=journal_id,
        payment_id=settlement_id,
        municipality=municipality,
        kind=ARRIVAL_ENTRY,
        postings=[*signed(municipality_transfer(municipality), -rial), *signed(BANK, rial)],
        now=now,
        reference=transfer_reference(municipality, number),
        cause=line_id,
    )


def next_day(position: Position, first_event_day: date) -> date:
    """The day that is to be closed next: the one after the last, or the day of the chain's first event."""
    if not position.day:
        return first_event_day
    return date.fromordinal(date.fromisoformat(position.day).toordinal() + 1)
