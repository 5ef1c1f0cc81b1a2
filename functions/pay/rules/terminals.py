"""Terminals, their sales, and the closing of their days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from avarez.canonical import content_hash
from avarez.money import format_rial


@dataclass(frozen=True, slots=True)
class Terminal:
    """A card terminal: whose it is, and which acquirer its money comes from."""

    terminal_id: str
    office: str
    acquirer: str
    serial: str = ""
    last_payment_id: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """A payment that was begun at a terminal."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """A sale as the terminal's own list has it; `order_id` where the terminal keeps what it was told."""

    reference: str
    amount_rial: int
    tracking: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a terminal's day. `variance_rial` = what its list has, less what of it we knew."""

    closing_id: str
    terminal_id: str
    day: date
    lines: int
    counted_rial: int
    lines_hash: str
    closed_by: str
    closed_at: datetime
    after_payment_id: str
    last_payment_id: str = ""
    ours_rial: int = 0
    variance_rial: int = 0
    done: bool = False

    @staticmethod
    def hash_of(lines: Sequence[ClosingLine]) -> str:
        """The same for the same list in any order."""
        return content_hash(
            sorted([line.reference, format_rial(line.amount_rial), line.order_id] for line in lines)
        )

    @classmethod
    def begun(
        cls, terminal: Terminal, day: date, lines: Sequence[ClosingLine], closed_by: str, now: datetime
    ) -> Closing:
        """A closing of the sales after the last one's; its id follows from terminal and day."""
        return cls(
            closing_id=f"{terminal.terminal_id}-{day.isoformat()}",
            terminal_id=terminal.terminal_id,
            day=day,
            lines=len(lines),
            counted_rial=sum(line.amount_rial for line in lines),
            lines_hash=cls.hash_of(lines),
            closed_by=closed_by,
            closed_at=now,
            after_payment_id=terminal.last_payment_id,
        )
