"""A roll as columns against the marks of paid years: what all its plain vehicles owe, to the rial.

The amounts are those of `avarez.fleet.engine`, by which tariffs are simulated. A vehicle is plain when its roll
and the marks say all that its quote would look at; the others are named by `Roll.apart` and left out here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from avarez.assessment.texts import LineKind
from avarez.fleet.columns import CLASSES, PLATE_BYTES
from avarez.fleet.engine import BlockAssessment, Question, assess_block
from avarez.fleet.fleet import Fleet
from avarez.jalali import to_jalali
from avarez.receivables.books import FIRST_MARKED_YEAR, MARKED_YEARS, plate_mark
from avarez.receivables.table import Receivables, Row

Numbers = NDArray[np.uint64]
Mask = NDArray[np.bool_]
MARKS_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Marks:
    """Bits of paid years by plate: two columns, the plates ascending."""

    plates: Numbers
    years: Numbers

    @classmethod
    def none(cls) -> Marks:
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint64))

    def with_more(self, marks: Mapping[int, int]) -> Marks:
        """These marks and others together."""
        if not marks:
            return self
        plates = np.concatenate([self.plates, np.fromiter(marks.keys(), np.uint64, len(marks))])
        years = np.concatenate([self.years, np.fromiter(marks.values(), np.uint64, len(marks))])
        order = np.argsort(plates, kind="stable")
        plates, years = plates[order], years[order]
        first = np.flatnonzero(np.concatenate([[True], plates[1:] != plates[:-1]]))
        return Marks(plates[first], np.bitwise_or.reduceat(years, first))

    def of(self, plates: Numbers) -> Numbers:
        """The bits of each of these plates; none of one that never paid."""
        if not len(self.plates):
            return np.zeros(len(plates), np.uint64)
        at = np.minimum(np.searchsorted(self.plates, plates), len(self.plates) - 1)
        return np.where(self.plates[at] == plates, self.years[at], np.uint64(0))

    def write(self, file: IO[bytes]) -> None:
        """A header line of JSON, then both columns, little-endian."""
        file.write(json.dumps({"schema": MARKS_SCHEMA, "rows": len(self.plates)}).encode() + b"\n")
        for column in (self.plates, self.years):
            file.write(column.astype("<u8").tobytes())

    @classmethod
    def read(cls, content: bytes) -> Marks:
        """The marks that `write` wrote.

        Raises:
            ValueError: another schema, or bytes are missing.
        """
        file = io.BytesIO(content)
        header = json.loads(file.readline())
        rows = int(header["rows"])
        if header["schema"] != MARKS_SCHEMA or len(content) - file.tell() != 16 * rows:
            raise ValueError("no file of marks of this schema")
        columns = np.frombuffer(content, "<u8", offset=file.tell()).astype(np.uint64)
        return cls(columns[:rows], columns[rows:])


@dataclass(frozen=True, slots=True)
class Roll:
    """A city's committed roll with what its plates are in the marks."""

    fleet: Fleet
    marks: Numbers
    years: Numbers

    @classmethod
    def of(cls, fleet: Fleet, marks: Marks) -> Roll:
        plates = np.fromiter((plate_mark(plate) for plate in fleet.plates.tolist()), np.uint64, len(fleet))
        return cls(fleet, plates, marks.of(plates))

    def apart(self, shared: Numbers) -> set[str]:
        """Plates of which the roll does not tell all: borne by several of its vehicles, or by one that has ended
        and had paid, or that another city's roll has as well (`shared`: keys, as `key_numbers` gives them)."""
        _, at, counts = np.unique(self.marks, return_inverse=True, return_counts=True)
        several = counts[at] > 1
        moved = (self.fleet.columns["ended"] != 0) & (self.years != 0)
        elsewhere = np.isin(key_numbers(self.fleet), shared)
        return {bytes(plate).decode() for plate in self.fleet.plates[several | moved | elsewhere].tolist()}


def key_numbers(fleet: Fleet) -> Numbers:
    """Half of each vehicle's key as a number: the same plate and vehicle give the same one in every roll."""
    if not len(fleet):
        return np.empty(0, np.uint64)
    return np.ascontiguousarray(fleet.keys).view("<u8").reshape(-1, 2)[:, 0].astype(np.uint64)


def add_plain(table: Receivables, roll: Roll, question: Question, apart: Collection[str]) -> None:
    """Adds the vehicles in use that are not `apart` to the table."""
    names = np.asarray(sorted(plate.encode() for plate in apart), dtype=f"S{PLATE_BYTES}")
    plain = roll.fleet.columns["ended"] == 0
    if len(names):
        plain &= ~np.isin(roll.fleet.plates, names)
    fleet, years = roll.fleet.take(plain), roll.years[plain]
    for start, block in fleet.blocks():
        _add_block(table, block, question, years[start : start + len(block)])


def add_charges(table: Receivables, roll: Roll, question: Question) -> None:
    """What the roll's vehicles in use are charged by the tariff, year by year, whether or not it was paid.

    Without penalties and rounding, which are of the day and of the payment; a vehicle without a rate is left out.
    """
    fleet = roll.fleet.take(roll.fleet.columns["ended"] == 0)
    for _, block in fleet.blocks():
        done = assess_block(block, question)
        for year, totals in done.year_totals.items():
            penalties: Any = done.amounts.get((year, LineKind.PENALTY))
            base = totals if penalties is None else totals - penalties
            owing = (base != 0) & ~done.missing
            for code, name in enumerate(CLASSES):
                chosen = owing & (block.columns["vehicle_class"] == code)
                if chosen.any():
                    table.charge(year, name.value, _sum(base, chosen), int(chosen.sum()))


def _add_block(table: Receivables, block: Fleet, question: Question, bits: Numbers) -> None:
    earliest = max(question.settings.first_duty_year or 0, FIRST_MARKED_YEAR)
    paid = {
        year: (bits >> np.uint64(year - FIRST_MARKED_YEAR)) & np.uint64(1) == 1
        for year in range(earliest, min(question.through_year + 1, FIRST_MARKED_YEAR + MARKED_YEARS))
    }
    done = assess_block(block, question, charged={year: ~mask for year, mask in paid.items()})
    table.vehicles += len(block)
    table.not_assessed += int(done.missing.sum())
    owed = {year: (totals != 0) & ~done.missing for year, totals in done.year_totals.items()}
    start_year, _ = block.starts()
    settings = question.settings
    first = np.maximum(start_year, settings.first_duty_year or 0)
    if settings.limitation_years is not None:
        first = np.maximum(first, to_jalali(question.as_of).year - settings.limitation_years)
    newest = np.zeros(len(block), np.int64)
    oldest = np.zeros(len(block), np.int64)
    for year in sorted(owed):
        newest[owed[year]] = year
        oldest[owed[year] & (oldest == 0)] = year
    for code, name in enumerate(CLASSES):
        members = block.columns["vehicle_class"] == code
        if not members.any():
            continue
        for year in done.years:
            chosen = members & owed.get(year, np.zeros(len(block), bool))
            settled = members & ~done.missing & (first <= year)
            settled &= paid.get(year, np.zeros(len(block), bool))
            if chosen.any() or settled.any():
                row = _row(done, year, chosen, chosen & (newest == year))
                row.duties_paid = int(settled.sum())
                table.row(year, name.value).take(row)
    for year in np.unique(oldest[oldest > 0]).tolist():
        table.oldest[year] = table.oldest.get(year, 0) + int((oldest == year).sum())


def _row(done: BlockAssessment, year: int, chosen: Mask, newest: Mask) -> Row:
    if not chosen.any():
        return Row()
    whole = _sum(done.year_totals[year], chosen)
    penalties: Any = done.amounts.get((year, LineKind.PENALTY))
    penalty = 0 if penalties is None else _sum(penalties, chosen)
    return Row(
        base_rial=whole - penalty,
        penalty_rial=penalty,
        rounding_rial=_sum(done.rounding_rial, newest),
        duties_open=int(chosen.sum()),
    )


def _sum(amounts: Any, chosen: Mask) -> int:
    """As Python's integer: a nation's debt need not fit 64 bits."""
    return int(amounts[chosen].sum(dtype=object)) if chosen.any() else 0
