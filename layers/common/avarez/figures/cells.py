"""What a city's events come to, cell by cell. Pure.

A cell is a sum over what several vehicles did. What is given back is taken off in the cell that its payment would
have in the month of the refund, so that the column's sum is what is left to the city. `month` is the Jalali month
of the journal entry (of a certificate: of its coming into force), in Tehran.

Source: the events' members as `docs/ledger.md` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from avarez.clock import from_rfc3339, tehran_today
from avarez.events.chain import EventType
from avarez.jalali import to_jalali
from avarez.money import parse_rial

COLLECTED: Final = "collected"
CERTIFIED: Final = "certified"
MERGED: Final = "merged"
"""In place of a value: these vehicles are not told apart by it."""
NONE: Final = ""
"""In place of a value that the figure does not have."""
UNKNOWN: Final = "unknown"
SUBJECTS_MIN: Final = 5
"""A cell of fewer vehicles is not published. Source: k >= 5, as the issue of the figures asks."""

PASSED_ON_KINDS: Final = frozenset({"gateway_paid_out", "settlement_transfer"})
"""Entries that move a city's money to its own account, by a gateway or by a close: neither income nor a refund."""
ONLINE: Final = "online"
ONLINE_OWNER: Final = "online_owner"
ONLINE_OFFICE: Final = "online_office"
CHANNELS: Final = {"gateway": ONLINE, "pos": "office", "bill": "bank"}
WAITS: Final = ((60, "1_minute"), (300, "5_minutes"), (900, "15_minutes"), (3_600, "1_hour"), (86_400, "1_day"))
"""At most so many seconds from payment to certificate; whatever takes longer is `longer`."""
LONGER: Final = "longer"


class CellKey(NamedTuple):
    """Which cell. Each value is a name, `merged`, or nothing where the figure does not have it."""

    figure: str
    month: str
    duty_year: str
    vehicle_class: str
    channel: str
    wait: str


Duty = tuple[str, str]
"""A vehicle, or whatever stands for it, and the duty year as rows name it."""

COLUMNS: Final = (*CellKey._fields, "rial", "count")
"""Of a published row."""


@dataclass(slots=True)
class Tally:
    """Sums over some vehicles; `subjects` are those whose amounts are told nowhere else, with (rial, count)."""

    rial: int = 0
    count: int = 0
    subjects: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, share: Share) -> None:
        self.rial += share.rial
        self.count += share.payments
        if share.first:
            self._name(share.subject, share.rial, share.payments)

    def take(self, other: Tally) -> None:
        """Both become one."""
        self.rial += other.rial
        self.count += other.count
        for subject, amount in other.subjects.items():
            self._name(subject, *amount)

    def spare(self, subjects: Iterable[str]) -> Tally:
        """Takes these vehicles out, with what they paid here."""
        part = Tally()
        for subject in subjects:
            rial, count = self.subjects.pop(subject)
            self.rial -= rial
            self.count -= count
            part.take(Tally(rial, count, {subject: (rial, count)}))
        return part

    def _name(self, subject: str, rial: int, count: int) -> None:
        before = self.subjects.get(subject)
        self.subjects[subject] = (rial, count) if before is None else (before[0] + rial, before[1] + count)


class Share(NamedTuple):
    """What one event adds to one cell."""

    key: CellKey
    subject: str
    rial: int
    payments: int
    first: bool = True
    """Whether who reads rows may find its amount in no other. A refund's is that of its payment, an instalment's
    may be that of the one before."""
    gives_back: bool = False

    @property
    def duty(self) -> Duty:
        return self.subject, self.key.duty_year


@dataclass(slots=True)
class Books:
    """What the same events come to on the city's two accounts; held against the trial balance, never published.

    `rial` by kind of entry; a sum per city and day of what was passed on would give away a day of one payment.
    """

    rial: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, rial: int) -> None:
        self.rial[kind] = self.rial.get(kind, 0) + rial

    @property
    def balance_rial(self) -> int:
        """What the city is still owed: credits less debits."""
        return sum(self.rial.values())

    @property
    def figures_rial(self) -> int:
        """What the figures of the same events come to."""
        return sum(rial for kind, rial in self.rial.items() if kind not in PASSED_ON_KINDS)


def day_of(data: Mapping[str, Any]) -> str:
    """The day of the event in Tehran, `2026-11-27`.

    Raises:
        KeyError, TypeError, ValueError: the event is none of ours.
    """
    return tehran_today(from_rfc3339(data["occurred_at"])).isoformat()


def add_shares(tallies: dict[CellKey, Tally], shares: Iterable[Share]) -> None:
    """Adds what one event, or several, add to the cells."""
    for share in shares:
        tallies.setdefault(share.key, Tally()).add(share)


def shares_of(data: Mapping[str, Any], books: Books) -> Iterator[Share]:
    """What the event adds: for each duty year of an entry its part; for a certificate its time.

    Whatever of the city's money is no duty year's own (rounding, a fee that the city bears) goes with the newest
    year, and so does the payment itself, so that it counts once.

    Raises:
        KeyError, TypeError, ValueError: the event is none of ours.
    """
    if data["type"] == EventType.CERTIFICATE_ISSUED.value:
        yield from _certified(data)
        return
    entry = data.get("entry")
    if entry is None:
        return
    kind, rial = str(entry["kind"]), city_rial(entry["postings"], str(data["municipality"]))
    books.add(kind, rial)
    if kind in PASSED_ON_KINDS or (rial == 0 and not entry["years"]):
        return
    payment = data.get("payment") or {}
    gives_back = rial < 0
    month = _month(date.fromisoformat(entry["day"]))
    subject = str(payment.get("vehicle_id") or entry["journal_id"])
    parts = {int(part["year"]): parse_rial(part["amount_rial"]) for part in entry["years"]}
    if gives_back:
        parts = {year: -amount_rial for year, amount_rial in parts.items()}
    newest = max(parts, default=0)
    parts[newest] = parts.get(newest, 0) + rial - sum(parts.values())
    for year, part_rial in parts.items():
        key = CellKey(
            COLLECTED,
            month,
            str(year) if year else UNKNOWN,
            str(payment.get("vehicle_class") or UNKNOWN),
            _channel(payment),
            NONE,
        )
        first = not gives_back and not payment.get("agreement_id")
        yield Share(key, subject, part_rial, int(year == newest and not gives_back), first, gives_back)


def _channel(payment: Mapping[str, Any]) -> str:
    """The channel, and for a gateway who opened the payment where the event says it."""
    channel = CHANNELS.get(str(payment.get("channel")), UNKNOWN)
    if channel != ONLINE:
        return channel
    if payment.get("opened_by") == "owner":
        return ONLINE_OWNER
    return ONLINE_OFFICE if payment.get("office") else ONLINE


def city_rial(postings: Iterable[Mapping[str, Any]], municipality: str) -> int:
    """Credits less debits of what is owed to the city: duty, penalty and rounding."""
    own = (f"municipality_payable:{municipality}", f"municipality_rounding:{municipality}")
    return sum(
        parse_rial(posting["credit_rial"]) - parse_rial(posting["debit_rial"])
        for posting in postings
        if posting["account"] in own
    )


def _certified(data: Mapping[str, Any]) -> Iterator[Share]:
    certificate = data["certificate"]
    if certificate["kind"] != "payment" or "paid_at" not in certificate:
        return
    in_force_at = from_rfc3339(data["occurred_at"])
    seconds = (in_force_at - from_rfc3339(certificate["paid_at"])).total_seconds()
    wait = next((name for limit_s, name in WAITS if seconds <= limit_s), LONGER)
    key = CellKey(CERTIFIED, _month(tehran_today(in_force_at)), NONE, NONE, NONE, wait)
    yield Share(key, str(certificate["plate"]), 0, 1)


def _month(day: date) -> str:
    jalali = to_jalali(day)
    return f"{jalali.year}-{jalali.month:02d}"
