"""A city's daily close as it is kept and told: what it says, its lines, and the proof of their number. Pure.

A close is a range of sequence numbers of the city's chain, one behind the other, so that no line can stand in two
and none is left out. Its lines lie in batches; `manifest_hash` is over the hashes of the batches, so that whoever
has the close can tell whether the lines are the ones that it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from avarez.canonical import canonical_bytes, content_hash
from avarez.clock import from_rfc3339, tehran_today
from avarez.jalali import format_jalali
from avarez.money import format_rial, parse_rial

LINES_PER_BATCH: Final = 25
"""An item of some eight kilobytes; DynamoDB takes 400, and a transaction of ten of them stays small."""


class LineKind(StrEnum):
    """What moved a city's balance."""

    PAYMENT = "payment"
    REFUND = "refund"
    CORRECTION = "correction"
    PAID_DIRECT = "paid_direct"
    TRANSFER = "transfer"


class Status(StrEnum):
    """How far the money of a close is; `nothing_due` where there is none to move."""

    NOTHING_DUE = "nothing_due"
    WAITING = "waiting"
    OPEN = "open"
    SENT = "sent"
    MATCHED = "matched"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the chain that moved what a city is owed.

    `city_rial` is signed: what the city is owed more (or less); `rounding_rial` is the part of it that comes from
    rounding up. `paid_rial` is what a payer paid or got back, `fee_rial` what of that is not the city's.
    `balance_rial` is what the city is owed after the line. `late` says that it happened on an earlier day.
    """

    sequence: int
    event_id: str
    kind: str
    entry_kind: str
    occurred_at: str
    late: bool
    payment_id: str
    plate: str
    years: tuple[int, ...]
    operator: str
    reference: str
    certificate_id: str
    paid_rial: int
    fee_rial: int
    rounding_rial: int
    city_rial: int
    balance_rial: int

    @property
    def day(self) -> date:
        """The day in Tehran on which it happened."""
        return tehran_today(from_rfc3339(self.occurred_at))


@dataclass(frozen=True, slots=True)
class Sum:
    """What the lines of one kind come to."""

    kind: str
    count: int
    paid_rial: int
    fee_rial: int
    rounding_rial: int
    city_rial: int


@dataclass(frozen=True, slots=True)
class DirectDay:
    """What of a close's payments a gateway pays to the city itself, by the day of the payments."""

    operator: str
    day: str
    city_rial: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """A close. Events `from_sequence` to `to_sequence`, both included; none where `to` is `from` less one.

    `after_hash` is the hash of the event before the first, 64 zeros where there is none. `transfer_rial` is paid
    on by a transfer; `direct_rial` is what of the closing balance gateways pay to the city themselves.
    """

    settlement_id: str
    municipality: str
    number: int
    day: str
    cutoff_at: str
    early: bool
    from_sequence: int
    to_sequence: int
    after_hash: str
    first_hash: str
    last_hash: str
    opening_rial: int
    closing_rial: int
    direct_rial: int
    transfer_rial: int
    lines: int
    late_lines: int
    late_rial: int
    sums: tuple[Sum, ...]
    direct_days: tuple[DirectDay, ...]
    manifest_hash: str
    closed_at: str
    closed_by: str

    @property
    def reference(self) -> str:
        """What the transfer is called at the bank: the same for ever, and no other close's."""
        return transfer_reference(self.municipality, self.number)

    def sum_of(self, kind: LineKind) -> Sum:
        """What the lines of this kind come to; nothing where there are none."""
        return next((one for one in self.sums if one.kind == kind), Sum(kind, 0, 0, 0, 0, 0))


def transfer_reference(municipality: str, number: int) -> str:
    """`TEHRAN-12`. Source: ISO 20022, EndToEndIdentification: at most 35 characters."""
    return f"{municipality}-{number}"


def batches(lines: Iterable[Line]) -> Iterable[list[Line]]:
    """The lines in their batches, in order; the last one may be smaller."""
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == LINES_PER_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def batch_hash(lines: Sequence[Line]) -> str:
    """The hash of one batch: over the RFC 8785 form of its lines as they are told."""
    return text_hash(batch_text(lines))


def text_hash(batch: str) -> str:
    """The hash of a batch of which the text is at hand."""
    return sha256(batch.encode()).hexdigest()


def manifest_hash(batch_hashes: Sequence[str]) -> str:
    """The hash over all batches in their order."""
    return content_hash({"batches": list(batch_hashes)})


# --- as it is told ---------------------------------------------------------------------------------------


def line_json(line: Line) -> dict[str, Any]:
    """The public form of a line."""
    told: dict[str, Any] = {name: getattr(line, name) for name in _LINE_TEXTS}
    told |= {"sequence": line.sequence, "late": line.late, "years": list(line.years)}
    told |= {name: format_rial(getattr(line, name)) for name in _LINE_AMOUNTS}
    return {**told, "day_jalali": format_jalali(line.day)}


def settlement_json(settlement: Settlement) -> dict[str, Any]:
    """The public form of a close, as the city's event tells it as well."""
    day = date.fromisoformat(settlement.day)
    told: dict[str, Any] = {
        "settlement_id": settlement.settlement_id,
        "municipality": settlement.municipality,
        "number": settlement.number,
        "day": settlement.day,
        "day_jalali": format_jalali(day),
        "cutoff_at": settlement.cutoff_at,
        "early": settlement.early,
        "from_sequence": settlement.from_sequence,
        "to_sequence": settlement.to_sequence,
        "after_hash": settlement.after_hash,
        "first_hash": settlement.first_hash,
        "last_hash": settlement.last_hash,
        "opening_rial": format_rial(settlement.opening_rial),
        "closing_rial": format_rial(settlement.closing_rial),
        "direct_rial": format_rial(settlement.direct_rial),
        "lines": settlement.lines,
        "late": {"lines": settlement.late_lines, "city_rial": format_rial(settlement.late_rial)},
        "sums": {one.kind: _sum_json(one) for one in settlement.sums},
        "direct_days": [
            {**asdict(one), "city_rial": format_rial(one.city_rial)} for one in settlement.direct_days
        ],
        "manifest_hash": settlement.manifest_hash,
        "closed_at": settlement.closed_at,
        "closed_by": settlement.closed_by,
        "transfer_rial": format_rial(settlement.transfer_rial),
    }
    return {**told, "transfer_reference": settlement.reference} if settlement.transfer_rial else told


def _sum_json(one: Sum) -> dict[str, Any]:
    amounts = ("paid_rial", "fee_rial", "rounding_rial", "city_rial")
    return {"count": one.count, **{name: format_rial(getattr(one, name)) for name in amounts}}


# --- as it is kept ---------------------------------------------------------------------------------------


def batch_text(lines: Sequence[Line]) -> str:
    """A batch as one text: a tenth of the time that an item of maps takes to read."""
    return canonical_bytes([line_json(line) for line in lines]).decode()


def lines_from(text: str) -> list[Line]:
    """The lines in a batch's text."""
    return [_line_from(told) for told in json.loads(text)]


def _line_from(told: Mapping[str, Any]) -> Line:
    members: dict[str, Any] = {name: told[name] for name in _LINE_TEXTS}
    members |= {name: parse_rial(told[name]) for name in _LINE_AMOUNTS}
    return Line(**members, sequence=told["sequence"], late=told["late"], years=tuple(told["years"]))


def settlement_item(settlement: Settlement) -> dict[str, Any]:
    lists = {name: [asdict(one) for one in getattr(settlement, name)] for name in ("sums", "direct_days")}
    return {**asdict(settlement), **lists}


def settlement_from(item: Mapping[str, Any]) -> Settlement:
    """The close in a stored item."""
    lists = {
        "sums": tuple(Sum(**one) for one in item["sums"]),
        "direct_days": tuple(DirectDay(**one) for one in item["direct_days"]),
    }
    return Settlement(**{**{name: item[name] for name in _SETTLEMENT_NAMES}, **lists})


_LINE_TEXTS: Final = (
    "event_id",
    "kind",
    "entry_kind",
    "occurred_at",
    "payment_id",
    "plate",
    "operator",
    "reference",
    "certificate_id",
)
_LINE_AMOUNTS: Final = ("paid_rial", "fee_rial", "rounding_rial", "city_rial", "balance_rial")
_SETTLEMENT_NAMES: Final = tuple(one.name for one in fields(Settlement))
