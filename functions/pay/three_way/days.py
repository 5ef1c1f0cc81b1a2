"""A gateway's day, reconciled: reports read, both books compared, the bank asked, tasks opened and closed.

Obligations, by number:
1. Running it again with the same books changes nothing: every task has an id that follows from what it is about.
2. What is open closes by itself in the run that finds the other side, whenever that is.
3. Money that a gateway holds as confirmed and that we know nothing of stands in suspense after a day, on the word
   of a report that we fetched ourselves; never on an uploaded one alone.
4. A gateway's day leaves its clearing account once the bank statement has all of it, city by city, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from avarez.errors import OutcomeUnknown, ReferenceReused
from avarez.ids import is_id, new_id
from avarez.journal import JournalEntry
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.gateways.orders import order_number
from functions.pay.rules.ledger import clearing, suspense_entry
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.refunds import Found
from functions.pay.rules.settling import Share, operator_of_account, paid_out_entry, share_of, split
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.suspense import unexplained
from functions.pay.three_way import matching
from functions.pay.three_way.matching import Item, Ours, State

NATIONAL = "NATIONAL"
SOURCE = "reconciliation"
FOUND_AFTER = timedelta(days=1)
"""A report may still change on the day itself; what it says of an unknown payment is believed a day later."""
TAKINGS = ("payment_settled", "payment_suspense", "terminal_variance")


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway's reports say of one of its days.

    `complete` says that one of them is of the whole day, `final` that it was made when the day was over, `fetched`
    that we got it ourselves; `contradicted` counts the payments of which an earlier report named another amount.
    """

    lines: Sequence[ReportLine]
    complete: bool
    final: bool
    fetched: bool
    contradicted: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A difference that an earlier run left open, with the task it is."""

    reference: str
    municipality: str
    state: str
    task: bool


@dataclass(frozen=True, slots=True)
class Paid:
    """What has been booked out of a clearing account for a gateway's day in one city's book."""

    municipality: str
    rial: int
    payable_rial: int
    rounding_rial: int


@dataclass(frozen=True, slots=True)
class Day:
    """The result of one run for a gateway's day."""

    operator: str
    day: date
    items: Sequence[Item]
    bank: Sequence[Item]
    reported: bool
    final: bool
    contradicted: int
    at: datetime

    @property
    def closed(self) -> bool:
        return self.reported and matching.is_closed([*self.items, *self.bank])


class Stored(Protocol):
    """The books of three levels as they are kept."""

    def municipalities(self) -> Sequence[str]: ...

    def entries(self, municipality: str, day: str) -> Sequence[JournalEntry]: ...

    def direct(self, municipality: str, operator: str) -> bool:
        """Whether the gateway pays straight to the city's account."""

    def told(self, operator: str, day: date) -> Told: ...

    def reporters(self, day: date) -> Sequence[str]:
        """Whose reports or statements of this day are there."""

    def by_reference(self, operator: str, references: Iterable[str]) -> Mapping[str, Payment]: ...

    def payments(self, payment_ids: Iterable[str]) -> Mapping[str, Payment]: ...

    def parts_of(self, payment: Payment) -> Sequence[Payment]: ...

    def sent_back(self, payment: Payment) -> bool:
        """Whether a refund of the payment has left through its gateway."""

    def arrived(self, operator: str, day: date) -> Mapping[str, int]:
        """What bank statements have of the day, commissions included, by account: a city's, or `NATIONAL`."""

    def paid_out(self, operator: str, day: date) -> Mapping[str, Paid]: ...

    def book_paid_out(
        self, operator: str, day: date, before: Paid | None, after: Paid, entry: JournalEntry
    ) -> None:
        """Raises `TransactionRefused` when another run was faster."""

    def opened(self, operator: str, day: date) -> Mapping[str, Opened]: ...

    def keep(self, day: Day, before: Mapping[str, Opened], tasks: Callable[[Item], bool]) -> None:
        """Opens and closes what differs from `before`, and keeps the results by city."""

    def put_found(self, found: Found) -> None: ...


def run(stored: Stored, day: date, now: datetime, report: Callable[[str], None]) -> list[Day]:
    """Every gateway's day, reconciled with what is known at this moment."""
    cities = [NATIONAL, *stored.municipalities()]
    entries = [entry for city in cities for entry in stored.entries(city, day.isoformat())]
    by_operator: dict[str, list[JournalEntry]] = {name: [] for name in stored.reporters(day)}
    for entry in (entry for entry in entries if entry.kind in TAKINGS):
        for operator in {operator_of_account(posting.account) for posting in entry.postings} - {""}:
            by_operator.setdefault(operator, []).append(entry)
    return [
        _operator(stored, operator, day, found, now, report) for operator, found in sorted(by_operator.items())
    ]


def _operator(
    stored: Stored,
    operator: str,
    day: date,
    entries: Sequence[JournalEntry],
    now: datetime,
    report: Callable[[str], None],
) -> Day:
    told = stored.told(operator, day)
    beside = [stored.told(operator, day + timedelta(days=step)) for step in (-1, 1)]
    booked = _booked(entries, operator)
    references = {line.reference for line in told.lines} | set(booked)
    payments = dict(stored.by_reference(operator, references))
    ours = {
        reference: _ours(stored, payments[reference], reference, booked.get(reference))
        for reference in references
        if reference in payments
    }
    ours |= _without_payment(ours, booked, entries)
    orders = stored.payments({line.order_id for line in told.lines if is_id("py", line.order_id)})
    items = matching.match(
        operator,
        ours,
        told.lines,
        _elsewhere(beside),
        reported=told.final,
        known={name: (payment.payment_id, payment.municipality) for name, payment in orders.items()},
    )
    if told.fetched and matching.age_days(day, now) >= FOUND_AFTER.days:
        items = [_found(stored, item, now, report) for item in items]  # 3
    shares = _shares(stored, operator, items, payments)
    bank = _bank(stored, operator, day, shares)
    _book(stored, operator, day, shares, bank, now)  # 4
    result = Day(operator, day, items, bank, told.complete, told.final, told.contradicted, now)
    stored.keep(result, stored.opened(operator, day), lambda item: matching.needs_somebody(item, day, now))  # 1, 2
    return result


def _booked(entries: Sequence[JournalEntry], operator: str) -> dict[str, int]:
    """What the day's journal took into the gateway's clearing account, by reference."""
    account = clearing(*split(operator))
    held: dict[str, int] = {}
    for entry in entries:
        if entry.kind in TAKINGS:
            for posting in entry.postings:
                if posting.account == account:
                    signed_rial = posting.debit_rial - posting.credit_rial
                    held[entry.reference] = held.get(entry.reference, 0) + signed_rial
    return held


def taken_rial(payment: Payment) -> int:
    """What the gateway confirmed for this payment, by the payment's own record."""
    if payment.confirmed_rial:
        return payment.confirmed_rial
    return payment.amount_rial if payment.settled_at is not None or payment.confirmed_at is not None else 0


def _ours(stored: Stored, payment: Payment, reference: str, booked_rial: int | None) -> Ours:
    by_record_rial = taken_rial(payment)
    # A joint payment is booked part by part, and a bank's or a terminal's sale may have a rest or a variance
    # besides: there the journal alone tells.
    alone = payment.channel == "gateway" and not payment.parts
    by_journal = booked_rial is not None and not alone
    return Ours(
        reference=reference,
        payment_id=payment.payment_id,
        municipality=payment.municipality or NATIONAL,
        taken_rial=booked_rial if by_journal and booked_rial is not None else by_record_rial,
        booked_rial=booked_rial if alone else None,
        in_suspense=payment.status is Status.SUSPENSE and bool(payment.confirmed_rial),
        going=payment.status is Status.REFUNDING,
        gone=payment.status is Status.REFUNDED and stored.sent_back(payment),
        orders=_orders(payment.payment_id),
    )


def _orders(payment_id: str) -> frozenset[str]:
    return frozenset({payment_id, str(order_number(payment_id))}) if is_id("py", payment_id) else frozenset()


def _without_payment(
    ours: Mapping[str, Ours], booked: Mapping[str, int], entries: Sequence[JournalEntry]
) -> dict[str, Ours]:
    """What the journal has and no reference leads to: booked, but by nobody that we can name."""
    cities = {entry.reference: (entry.payment_id, entry.municipality) for entry in entries}
    return {
        reference: Ours(reference, *cities[reference], taken_rial=0, booked_rial=rial)
        for reference, rial in booked.items()
        if reference not in ours and rial
    }


def _elsewhere(beside: Sequence[Told]) -> dict[str, list[ReportLine]]:
    found: dict[str, list[ReportLine]] = {}
    for told in beside:
        for line in told.lines:
            found.setdefault(line.reference, []).append(line)
    return found


def _found(stored: Stored, item: Item, now: datetime, report: Callable[[str], None]) -> Item:
    """Money that only the gateway knows of, put into suspense; the item as it stands then."""
    if item.state is not State.ONLY_THEIRS:
        return item
    channel, name = split(item.operator)
    payment = unexplained(
        payment_id=new_id("py", now),
        municipality=item.municipality or NATIONAL,
        channel=channel,
        gateway=name,
        reference=item.reference,
        amount_rial=item.theirs_rial,
        created_by=SOURCE,
        now=now,
        tracking="",
    )
    note = {"reference": item.reference, **({"order": item.payment_id} if item.payment_id else {})}
    event = Event(Occurrence.CREATED, SOURCE, now, None, Status.SUSPENSE, note)
    entry = suspense_entry(payment, item.theirs_rial, journal_id=new_id("je", now), now=now)
    try:
        stored.put_found(Found(payment, event, entry, None))
    except ReferenceReused:
        return item  # a payment of ours has this reference and never took its money: somebody must look
    report("suspense")
    return replace(
        item, state=State.MATCHED, ours_rial=item.theirs_rial, payment_id=payment.payment_id, in_suspense=True
    )


# --- the third level: the bank --------------------------------------------------------------------------


def _shares(
    stored: Stored, operator: str, items: Sequence[Item], payments: Mapping[str, Payment]
) -> dict[str, Share]:
    """What the day's matched payments hold in each city's book."""
    total: dict[str, Share] = {}
    for item in items:
        if item.state is not State.MATCHED or not item.of_day:
            continue
        payment = payments.get(item.reference)
        if payment is None:  # put into suspense a moment ago
            shares = [Share(item.municipality or NATIONAL, item.ours_rial, 0, 0)]
        else:
            shares = [share_of(part) for part in stored.parts_of(payment) or [payment]]
        for share in shares:
            before = total.get(share.municipality, Share(share.municipality, 0, 0, 0))
            total[share.municipality] = before.plus(share)
    return total


def _bank(stored: Stored, operator: str, day: date, shares: Mapping[str, Share]) -> list[Item]:
    """The day in each account: ours, and those of cities that the gateway pays to itself."""
    expected: dict[str, int] = {}
    for city, share in shares.items():
        own_rial = share.payable_rial + share.rounding_rial if stored.direct(city, operator) else 0
        expected[city] = own_rial
        expected[NATIONAL] = expected.get(NATIONAL, 0) + share.rial - own_rial
    arrived = stored.arrived(operator, day)
    return [
        matching.bank_item(operator, account, expected.get(account, 0), arrived.get(account, 0), national=NATIONAL)
        for account in sorted(set(expected) | set(arrived))
        if expected.get(account, 0) or arrived.get(account, 0)
    ]


def _book(
    stored: Stored, operator: str, day: date, shares: Mapping[str, Share], bank: Sequence[Item], now: datetime
) -> None:
    """Each city's part leaves the clearing account; a late line of the report brings the difference only."""
    arrived = {item.municipality for item in bank if item.state is State.MATCHED}
    before = stored.paid_out(operator, day)
    for city, share in sorted(shares.items()):
        direct = stored.direct(city, operator)
        wanted = {city, NATIONAL} & {item.municipality for item in bank} if direct else {NATIONAL}
        if not wanted <= arrived:
            continue
        own = (share.payable_rial, share.rounding_rial) if direct else (0, 0)
        known = before.get(city)
        after = Paid(city, share.rial, *own)
        if known == after:
            continue
        base = known or Paid(city, 0, 0, 0)
        entry = paid_out_entry(
            operator,
            Share(
                city,
                after.rial - base.rial,
                after.payable_rial - base.payable_rial,
                after.rounding_rial - base.rounding_rial,
            ),
            day=day,
            journal_id=new_id("je", now),
            now=now,
        )
        stored.book_paid_out(operator, day, known, after, entry)


# --- reports --------------------------------------------------------------------------------------------


class Fetches(Protocol):
    """Gateways that give their report to whoever asks."""

    def fetchable(self) -> Sequence[str]: ...

    def fetch(self, operator: str, day: date) -> str:
        """The report's text.

        Raises:
            OutcomeUnknown: none came.
        """


def fetch_reports(
    gateways: Fetches,
    take: Callable[[str, date, str], None],
    days: Sequence[date],
    report: Callable[[str], None],
) -> None:
    """Takes every report of these days that a gateway gives; one that is silent is asked by the next run."""
    for operator in gateways.fetchable():
        for day in days:
            try:
                take(operator, day, gateways.fetch(operator, day))
            except OutcomeUnknown:
                report("report_missing")
                break  # whoever is silent once is not waited for again in this run
