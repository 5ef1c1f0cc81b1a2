"""What our books and a gateway's report say of one payment, and what follows from the two. Pure.

A payment is matched by the gateway's reference and by nothing else: never by amount and date. What is left over
has a name (its state), an age and an owner, and closes itself when the other side says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from avarez.clock import tehran_today
from functions.pay.gateways.day_reports import ReportLine


class State(StrEnum):
    """How a payment stands between two books."""

    MATCHED = "matched"
    RETURNED = "returned"
    AWAITS_RETURN = "awaits_return"
    AWAITS_REPORT = "awaits_report"
    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"
    AMOUNTS_DIFFER = "amounts_differ"
    STATES_DIFFER = "states_differ"
    BOOKS_DIFFER = "books_differ"
    AWAITS_BANK = "awaits_bank"
    BANK_DIFFERS = "bank_differs"


class Owner(StrEnum):
    """Who has to say something next."""

    GATEWAY = "gateway"
    BANK = "bank"
    OFFICE = "office"
    CITY = "city"
    US = "us"


EXPLAINED = frozenset({State.MATCHED, State.RETURNED})
WAITING = frozenset({State.AWAITS_RETURN, State.AWAITS_REPORT, State.AWAITS_BANK})
"""Nothing is wrong yet: the other side has had no time to speak. With age they become somebody's task."""
RETURN_WITHIN = timedelta(days=2)
"""Gateways send unverified money back within half an hour; their reports say so a day later."""
REPORT_WITHIN = timedelta(days=2)
"""A report of yesterday comes today."""
BANK_WITHIN = timedelta(days=4)
"""PAYA pays the next day; a holiday and the weekend beside it come between."""
PATIENCE: Mapping[State, timedelta] = {
    State.AWAITS_RETURN: RETURN_WITHIN,
    State.AWAITS_REPORT: REPORT_WITHIN,
    State.AWAITS_BANK: BANK_WITHIN,
}
AGE_BUCKETS: Sequence[tuple[int, str]] = ((1, "0-1"), (3, "2-3"), (7, "4-7"), (30, "8-30"))
OLDEST_BUCKET = "31+"


@dataclass(frozen=True, slots=True)
class Ours:
    """What our books say of one reference of a gateway.

    `taken_rial` is what the gateway confirmed to us by the payment's record, `booked_rial` by the journal (None
    where the day's journal has no entry of it). `gone` says that we booked it as sent back through the gateway,
    `going` that it is on its way, so that either word of the gateway is right. `orders` are the names under which
    the gateway knows the payment.
    """

    reference: str
    payment_id: str
    municipality: str
    taken_rial: int
    booked_rial: int | None = None
    in_suspense: bool = False
    going: bool = False
    gone: bool = False
    orders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One payment between the two books: its state, what each says, and who has to say something next.

    `unexplained_rial` is what nobody has explained yet; nothing while it is matched, returned or waiting. `of_day`
    says that the day's own report has it, and not that of the day beside it.
    """

    operator: str
    reference: str
    municipality: str
    payment_id: str
    state: State
    owner: Owner
    ours_rial: int
    theirs_rial: int
    in_suspense: bool = False
    of_day: bool = True

    @property
    def open_rial(self) -> int:
        """What is between the two books: the difference, or the whole where they agree on the amount alone."""
        if self.state in EXPLAINED:
            return 0
        return abs(self.ours_rial - self.theirs_rial) or max(self.ours_rial, self.theirs_rial)

    @property
    def unexplained_rial(self) -> int:
        return 0 if self.state in WAITING else self.open_rial

    @property
    def waiting_rial(self) -> int:
        return self.open_rial if self.state in WAITING else 0


def state_of(ours: Ours | None, told: ReportLine | None, *, reported: bool) -> State:
    """How a payment stands; `reported` says that a report of its day is there.

    Raises:
        ValueError: neither side says anything.
    """
    if ours is not None and ours.booked_rial is not None and ours.booked_rial != ours.taken_rial:
        return State.BOOKS_DIFFER
    taken_rial = ours.taken_rial if ours is not None else 0
    if told is None:
        if not taken_rial:
            raise ValueError("neither side says anything")
        return State.ONLY_OURS if reported else State.AWAITS_REPORT
    if ours is None or not taken_rial:
        alone = {"confirmed": State.ONLY_THEIRS, "returned": State.RETURNED, "paid": State.AWAITS_RETURN}
        return alone[told.state]
    if told.amount_rial != taken_rial:
        return State.AMOUNTS_DIFFER
    if told.state == "confirmed":
        return State.STATES_DIFFER if ours.gone else State.MATCHED
    if told.state == "returned" and (ours.going or ours.gone):
        return State.RETURNED
    return State.STATES_DIFFER


def owner_of(state: State, operator: str) -> Owner:
    """Who has to say something next."""
    match state:
        case State.ONLY_OURS | State.AWAITS_REPORT:
            return Owner.OFFICE if operator.startswith("pos:") else Owner.GATEWAY
        case State.AWAITS_RETURN | State.STATES_DIFFER:
            return Owner.GATEWAY
        case State.AWAITS_BANK | State.BANK_DIFFERS:
            return Owner.BANK
        case _:
            return Owner.US


def match(
    operator: str,
    ours: Mapping[str, Ours],
    told: Sequence[ReportLine],
    elsewhere: Mapping[str, Sequence[ReportLine]],
    *,
    reported: bool,
    known: Mapping[str, tuple[str, str]],
) -> list[Item]:
    """Every payment of a day between the two books, by reference; the order of what comes in does not matter.

    `ours` holds what we know of the references of either side, `told` the lines of the day, `elsewhere` those of
    the days beside it: a payment of midnight stands in two days. `known` tells, by the order's name, payment and
    city of a line whose reference we do not know.
    """
    lines: dict[str, list[ReportLine]] = {}
    for line in told:
        lines.setdefault(line.reference, []).append(line)
    found: list[Item] = []
    for reference in sorted(set(ours) | set(lines)):
        own = ours.get(reference)
        candidates = sorted(lines.get(reference) or elsewhere.get(reference, ()), key=lambda line: line.key)
        mine = _mine(own, candidates)
        if own is not None and (own.taken_rial or mine is not None):
            item = _item(operator, own, mine, reported=reported, known=known)
            found.append(replace(item, of_day=reference in lines))
        for line in candidates if reference in lines else ():
            if line is not mine:
                found.append(_item(operator, None, line, reported=reported, known=known))
    return found


def _mine(own: Ours | None, lines: Sequence[ReportLine]) -> ReportLine | None:
    """The line that speaks of our payment: a reference that was given twice is told apart by the order."""
    if own is None or not lines:
        return None
    if len(lines) == 1:
        return lines[0]
    return next((line for line in lines if line.order_id in own.orders), lines[0])


def _item(
    operator: str,
    own: Ours | None,
    line: ReportLine | None,
    *,
    reported: bool,
    known: Mapping[str, tuple[str, str]],
) -> Item:
    state = state_of(own, line, reported=reported)
    if own is not None:
        payment_id, municipality = own.payment_id, own.municipality
    else:
        payment_id, municipality = known.get(line.order_id if line else "", ("", ""))
    return Item(
        operator=operator,
        reference=own.reference if own is not None else line.reference if line else "",
        municipality=municipality,
        payment_id=payment_id,
        state=state,
        owner=owner_of(state, operator),
        ours_rial=own.taken_rial if own is not None else 0,
        theirs_rial=line.amount_rial if line is not None else 0,
        in_suspense=own is not None and own.in_suspense,
    )


def bank_item(operator: str, account: str, expected_rial: int, arrived_rial: int, *, national: str) -> Item:
    """A gateway's day in one account: what its matched payments come to, and what the bank statement has.

    `arrived_rial` counts the commission that the statement names, so that no part of it is hidden.
    """
    if arrived_rial == expected_rial:
        state = State.MATCHED
    else:
        # A day is paid out in several cycles: less than all of it means that one is still to come.
        state = State.AWAITS_BANK if arrived_rial < expected_rial else State.BANK_DIFFERS
    owner = owner_of(state, operator) if account == national else Owner.CITY
    return Item(
        operator=operator,
        reference=f"BANK:{account}",
        municipality=account,
        payment_id="",
        state=state,
        owner=owner,
        ours_rial=expected_rial,
        theirs_rial=arrived_rial,
    )


def age_days(day: date, now: datetime) -> int:
    """Whole days since this day ended in Tehran; nothing on the day itself."""
    return max(0, (tehran_today(now) - day).days)


def bucket(days: int) -> str:
    """The bucket of this age."""
    return next((name for limit, name in AGE_BUCKETS if days <= limit), OLDEST_BUCKET)


def needs_somebody(item: Item, day: date, now: datetime) -> bool:
    """Whether this is a task: a difference at once, what waits when its time is over."""
    if item.state in EXPLAINED:
        return False
    patience = PATIENCE.get(item.state)
    return patience is None or timedelta(days=age_days(day, now)) > patience


@dataclass(frozen=True, slots=True)
class Totals:
    """A day's items, added up: counts and rial by state."""

    counts: Mapping[State, int]
    rial: Mapping[State, int]
    suspense_rial: int
    unexplained_rial: int
    waiting_rial: int

    @property
    def explained_ppm(self) -> int:
        """Millionths of the money that came which are explained; a million where none came."""
        total_rial = sum(self.rial.values())
        explained_rial = sum(self.rial.get(state, 0) for state in EXPLAINED)
        return 1_000_000 if not total_rial else explained_rial * 1_000_000 // total_rial


def totals(items: Iterable[Item]) -> Totals:
    """The sums; of an item that counts which of the two sides says more."""
    counts: dict[State, int] = {}
    rial: dict[State, int] = {}
    suspense_rial = unexplained_rial = waiting_rial = 0
    for item in items:
        amount_rial = max(item.ours_rial, item.theirs_rial)
        counts[item.state] = counts.get(item.state, 0) + 1
        rial[item.state] = rial.get(item.state, 0) + amount_rial
        suspense_rial += amount_rial if item.in_suspense else 0
        unexplained_rial += item.unexplained_rial
        waiting_rial += item.waiting_rial
    return Totals(counts, rial, suspense_rial, unexplained_rial, waiting_rial)


def is_closed(items: Iterable[Item]) -> bool:
    """Whether nothing of the day is left to be said."""
    return all(item.state in EXPLAINED for item in items)
