"""The rows of a roll: a CSV stream in, normalised rows and refusals out. Pure: no store, no clock.

A row is read and judged by itself (`read_row`), then against the rows before it (`RollReader`): repetitions
and two vehicles on one plate are judged after normalisation, so `۱۲ ب ۳۴۵` repeats `12B345`.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from avarez.assessment.model import (
    MAX_BASE_PRICE_RIAL,
    MAX_CYLINDERS,
    MAX_DISPLACEMENT_CC,
    MAX_NAME_LENGTH,
    Fuel,
    ModelCalendar,
    Origin,
    VehicleClass,
)
from avarez.digits import ascii_digits
from avarez.errors import FieldError, InvalidInput
from avarez.identifiers import read_legal_id, read_national_id, read_stamped_number, read_vin
from avarez.jalali import FIRST_YEAR, GREGORIAN_MODEL_YEAR_OFFSET, LAST_YEAR, format_jalali, read_jalali
from avarez.plates import read_plate
from avarez.roll.refusals import Refusal

COLUMNS: Final = (
    "municipality", "plate", "vin", "chassis", "engine", "class", "make", "model", "model_year",
    "model_calendar", "origin", "fuel", "cylinders", "displacement_cc", "base_price_rial", "sale_date_jalali",
    "owner_id", "owner_kind", "residence_from_jalali",
)  # fmt: skip
"""The header of the contract; any order is read."""
OPTIONAL_COLUMNS: Final = ("residence_to_jalali", "status")
FIRST_DATA_ROW: Final = 2
"""Rows are numbered as a spreadsheet numbers them: the header is row 1."""
ROWS_MAX: Final = 5_000_000
"""What the contract promises to take in one upload; the largest city has fewer vehicles."""
CELL_CHARACTERS_MAX: Final = 4_096
"""A longer cell means that a quotation mark was never closed."""
SHOWN_COLUMNS_MAX: Final = 20

_GROUPED = re.compile(r"[0-9]{1,3}(?:[,٬،'\u00a0\u202f ][0-9]{3})+|[0-9]+")
_SEPARATORS = re.compile(r"[,٬،'\u00a0\u202f ]")
_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f\u200b\u200d-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_BLANKS = re.compile(r"\s+")
_ARABIC_FORMS: Final = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "\u0640": None})


class VehicleStatus(StrEnum):
    """Whether the vehicle is on the road; the others close its residence."""

    IN_USE = "in_use"
    SCRAPPED = "scrapped"
    EXPORTED = "exported"


class OwnerKind(StrEnum):
    """Whose id the owner's id is: a person's national id or a legal person's."""

    PERSON = "person"
    LEGAL = "legal"


@dataclass(frozen=True, slots=True)
class RollRow:
    """One vehicle in one city, normalised: plate as its key, digits ASCII, dates `1404-12-29` or empty.

    `row` is its place in the file. `owner_id` is in clear here and nowhere after staging.
    """

    row: int
    municipality: str
    plate: str
    vin: str
    chassis: str
    engine: str
    vehicle_class: str
    make: str
    model: str
    model_year: int
    model_calendar: str
    origin: str
    fuel: str
    cylinders: int | None
    displacement_cc: int | None
    base_price_rial: int
    sale_date_jalali: str
    owner_id: str
    owner_kind: str
    residence_from_jalali: str
    residence_to_jalali: str
    status: str

    def to_json(self) -> dict[str, Any]:
        """Every field by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> RollRow:
        """The row that `to_json` wrote."""
        return cls(**fields)

    def facts(self) -> dict[str, Any]:
        """What an assessment rests on, in the form of `assessment.model.Vehicle.from_json`."""
        facts: dict[str, Any] = {
            "vehicle_class": self.vehicle_class,
            "origin": self.origin,
            "fuel": self.fuel,
            "model_year": self.model_year,
            "model_calendar": self.model_calendar,
            "make": self.make,
            "model": self.model,
            "base_price_rial": str(self.base_price_rial),
            "cylinders": self.cylinders,
            "displacement_cc": self.displacement_cc,
            "sale_date_jalali": self.sale_date_jalali or None,
            "residence_from_jalali": self.residence_from_jalali or None,
        }
        return {name: value for name, value in facts.items() if value is not None}

    @property
    def ended(self) -> bool:
        """Whether the row says itself that the vehicle no longer stands on this plate in this city."""
        return bool(self.residence_to_jalali) or self.status != VehicleStatus.IN_USE


@dataclass(slots=True)
class RollCounts:
    """Running totals of one reading. `rows_refused` counts rows, `by_code` faults: a row may have several."""

    rows_read: int
    rows_accepted: int
    rows_refused: int
    by_code: dict[str, int]


class RollReader:
    """Reads one city's roll row by row, remembering of each accepted row only two digests.

    Memory: about 250 bytes a row; the file itself is never held. `municipality` None takes the city of the
    first row: the command line checks a file before anybody has said whose it is.
    """

    def __init__(self, municipality: str | None = None) -> None:
        self.municipality = municipality
        self.counts = RollCounts(0, 0, 0, {})
        self._by_plate: dict[str, tuple[_Seen, ...]] = {}

    def read(self, lines: Iterable[str]) -> Iterator[RollRow | tuple[Refusal, ...]]:
        """For each row, in order, the normalised row or all of its refusals; empty rows are passed over.

        Raises:
            InvalidInput: the header is not the contract's (`unknown_column`, `missing_column`,
                `repeated_column`, each by name), or the file is no CSV, or it has too many rows.
        """
        cells = _csv_rows(lines)
        header = read_header(next(cells, []))
        for number, values in enumerate(cells, FIRST_DATA_ROW):
            if not any(value.strip() for value in values):
                continue
            if self.counts.rows_read >= ROWS_MAX:
                raise file_fault("too_many_rows", f"A roll has at most {ROWS_MAX:,} rows.")
            yield self._judge(number, header, values)

    def _judge(self, number: int, header: Sequence[str], values: Sequence[str]) -> RollRow | tuple[Refusal, ...]:
        self.counts.rows_read += 1
        if len(values) != len(header):
            code = "columns_missing" if len(values) < len(header) else "columns_surplus"
            return self._refuse((Refusal(number, "", code),))
        named = dict(zip(header, values, strict=True))
        if self.municipality is None:
            self.municipality = _city(named["municipality"])
        row, refusals = read_row(number, named, self.municipality)
        if row is None:
            return self._refuse(refusals)
        clash = self._clash(row)
        if clash is not None:
            return self._refuse((clash,))
        self.counts.rows_accepted += 1
        return row

    def _refuse(self, refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
        self.counts.rows_refused += 1
        for refusal in refusals:
            self.counts.by_code[refusal.code] = self.counts.by_code.get(refusal.code, 0) + 1
        return refusals

    def _clash(self, row: RollRow) -> Refusal | None:
        """The refusal where an earlier row says the same, or gives the plate to another car at that time."""
        seen = _Seen.of(row)
        earlier = self._by_plate.get(row.plate, ())
        for other in earlier:
            if other.content == seen.content:
                return Refusal(row.row, "", "duplicate_row", other=other.row)
        for other in earlier:
            if other.vehicle == seen.vehicle:
                return Refusal(row.row, "plate", "vehicle_conflict", row.plate, other.row)
            if other.overlaps(seen):
                return Refusal(row.row, "plate", "plate_conflict", row.plate, other.row)
        self._by_plate[row.plate] = (*earlier, seen)
        return None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is remembered of a row: its place, digests of its content and of its vehicle, its period."""

    row: int
    content: bytes
    vehicle: bytes
    since: str
    until: str

    @classmethod
    def of(cls, row: RollRow) -> _Seen:
        fields = row.to_json()
        del fields["row"]
        content = "\x1f".join(map(str, fields.values()))
        vehicle = row.vin or f"{row.chassis}\x1f{row.engine}"
        until = row.residence_to_jalali or ("" if not row.ended else row.residence_from_jalali or "0")
        return cls(row.row, _digest(content), _digest(vehicle), row.residence_from_jalali, until)

    def overlaps(self, other: _Seen) -> bool:
        """Whether both hold the plate on some day; an open end lasts for ever, an open start from ever."""
        return (not self.until or self.until > other.since) and (not other.until or other.until > self.since)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def read_header(cells: Sequence[str]) -> tuple[str, ...]:
    """The column names in their order in this file.

    Raises:
        InvalidInput: a column that the contract does not know, or lacks, or has twice, each by name.
    """
    header = tuple(_tidy(cell).lower() for cell in cells)
    known = {*COLUMNS, *OPTIONAL_COLUMNS}
    faults = [
        *(_column_fault(name, "unknown_column") for name in header if name not in known),
        *(_column_fault(name, "missing_column") for name in COLUMNS if name not in header),
        *(_column_fault(name, "repeated_column") for name in sorted(known) if header.count(name) > 1),
    ]
    if faults:
        raise InvalidInput(
            "; ".join(fault.message_en for fault in faults[:SHOWN_COLUMNS_MAX]),
            "؛ ".join(fault.message_fa for fault in faults[:SHOWN_COLUMNS_MAX]),
            errors=faults[:SHOWN_COLUMNS_MAX],
        )
    return header


_COLUMN_FAULTS: Final = {
    "unknown_column": ("There is no column named {name!r}.", "ستونی به نام «{name}» وجود ندارد."),
    "missing_column": ("The column {name!r} is missing.", "ستون «{name}» نیامده است."),
    "repeated_column": ("The column {name!r} stands there twice.", "ستون «{name}» دو بار آمده است."),
}


def _column_fault(name: str, code: str) -> FieldError:
    shown = name[:40]
    message_en, message_fa = _COLUMN_FAULTS[code]
    return FieldError(f"/{shown}", code, message_en.format(name=shown), message_fa.format(name=shown))


def file_fault(code: str, message_en: str, message_fa: str = "فایل CSV خوانا نیست.") -> InvalidInput:
    """The refusal of the file as a whole."""
    return InvalidInput(message_en, message_fa, errors=[FieldError("", code, message_en, message_fa)])


def _csv_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """The cells of each record.

    Source: RFC 4180; a byte-order mark before the header is dropped.
    """
    previous = csv.field_size_limit(CELL_CHARACTERS_MAX)
    try:
        reader = csv.reader(_without_mark(lines), strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise file_fault("csv_malformed", f"Line {reader.line_num} is no CSV: {error}.") from error
            except UnicodeDecodeError as error:
                raise file_fault("not_utf8", "The file is not UTF-8.", "فایل با UTF-8 نوشته نشده است.") from error
            yield cells
    finally:
        csv.field_size_limit(previous)


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line


def read_row(
    number: int, cells: Mapping[str, str], municipality: str | None, *, owner_required: bool = True
) -> tuple[RollRow | None, tuple[Refusal, ...]]:
    """The row by itself: normalised, or None with every fault that it has.

    `municipality` is the roll's; a row of another one is refused. `owner_required` False lets an owner's id
    be absent, as on a vehicle card without its holder.
    """
    reading = _Reading(number, cells)
    city = reading.city(municipality)
    plate = reading.plate()
    vin = reading.vin()
    chassis = reading.stamped("chassis")
    engine = reading.stamped("engine")
    if not cells["vin"].strip() and not (chassis and engine):
        reading.fault("vin", "identity_missing")
    calendar = reading.choice("model_calendar", _CALENDARS, "model_calendar_unknown")
    since, until = reading.date("residence_from_jalali"), reading.date("residence_to_jalali")
    if since and until and until < since:
        reading.fault("residence_to_jalali", "dates_reversed")
    kind = reading.choice("owner_kind", _OWNER_KINDS, "owner_kind_unknown")
    row = RollRow(
        row=number,
        municipality=city,
        plate=plate,
        vin=vin,
        chassis=chassis,
        engine=engine,
        vehicle_class=reading.choice("class", _CLASSES, "class_unknown"),
        make=reading.text("make"),
        model=reading.text("model"),
        model_year=reading.model_year(calendar),
        model_calendar=calendar,
        origin=reading.choice("origin", _ORIGINS, "origin_unknown"),
        fuel=reading.choice("fuel", _FUELS, "fuel_unknown"),
        cylinders=reading.count("cylinders", MAX_CYLINDERS),
        displacement_cc=reading.count("displacement_cc", MAX_DISPLACEMENT_CC),
        base_price_rial=reading.base_price(),
        sale_date_jalali=reading.date("sale_date_jalali"),
        owner_id=reading.owner(kind) if owner_required or cells["owner_id"] else "",
        owner_kind=kind,
        residence_from_jalali=since,
        residence_to_jalali=until,
        status=reading.choice("status", _STATUSES, "status_unknown") if cells.get("status") else "in_use",
    )
    return (None if reading.refusals else row), tuple(reading.refusals)


_CLASSES: Final = frozenset(VehicleClass)
_ORIGINS: Final = frozenset(Origin)
_FUELS: Final = frozenset(Fuel)
_CALENDARS: Final = frozenset(ModelCalendar)
_OWNER_KINDS: Final = frozenset(OwnerKind)
_STATUSES: Final = frozenset(VehicleStatus)


class _Reading:
    """One row being read; gathers faults and gives a harmless stand-in for each value at fault."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self._number = number
        self._cells = cells
        self.refusals: list[Refusal] = []

    def fault(self, column: str, code: str) -> None:
        self.refusals.append(Refusal(self._number, column, code, self._cells.get(column, "")))

    def city(self, municipality: str | None) -> str:
        city = _city(self._cells["municipality"])
        if city != municipality:
            self.fault("municipality", "foreign_municipality")
        return city

    def plate(self) -> str:
        plate = read_plate(self._cells["plate"])
        if plate is None:
            self.fault("plate", "plate_malformed")
            return ""
        return plate.key

    def vin(self) -> str:
        text = self._cells["vin"]
        if not text.strip():
            return ""
        vin = read_vin(text)
        if vin is None:
            self.fault("vin", "vin_malformed")
        return vin or ""

    def stamped(self, column: str) -> str:
        text = self._cells[column]
        if not text.strip():
            return ""
        number = read_stamped_number(text)
        if number is None:
            self.fault(column, "number_malformed")
        return number or ""

    def choice(self, column: str, allowed: frozenset[Any], code: str) -> str:
        value = _tidy(self._cells[column]).lower()
        if value not in allowed:
            self.fault(column, code)
        return value

    def text(self, column: str) -> str:
        value = _name(self._cells[column])
        if len(value) > MAX_NAME_LENGTH:
            self.fault(column, "text_too_long")
        return value

    def count(self, column: str, highest: int) -> int | None:
        """A count that may be absent."""
        if not self._cells[column].strip():
            return None
        number = _whole(self._cells[column])
        if number is None or number > highest:
            self.fault(column, "number_malformed")
        return number

    def model_year(self, calendar: str) -> int:
        year = _whole(self._cells["model_year"])
        offset = GREGORIAN_MODEL_YEAR_OFFSET if calendar == ModelCalendar.GREGORIAN else 0
        # With a calendar that is none, either reading of the year will do: the calendar is the fault.
        highest = LAST_YEAR + (offset if calendar in _CALENDARS else GREGORIAN_MODEL_YEAR_OFFSET)
        if year is None or not FIRST_YEAR + offset < year <= highest:
            self.fault("model_year", "model_year_malformed")
        return year or 0

    def base_price(self) -> int:
        price = _whole(self._cells["base_price_rial"])
        if not price or price > MAX_BASE_PRICE_RIAL:
            self.fault("base_price_rial", "base_price_malformed")
        return price or 0

    def date(self, column: str) -> str:
        text = self._cells.get(column, "")
        if not text.strip():
            return ""
        day = _jalali(text)
        if day is None:
            self.fault(column, "date_invalid")
        return day or ""

    def owner(self, kind: str) -> str:
        check: Callable[[str], str | None] = read_legal_id if kind == OwnerKind.LEGAL else read_national_id
        owner = check(self._cells["owner_id"])
        if owner is None:
            self.fault("owner_id", "national_id_invalid")
        return owner or ""


@lru_cache(maxsize=65_536)
def _jalali(text: str) -> str | None:
    """The date as `1404-12-29`; a roll has some ten thousand different ones."""
    day = read_jalali(text)
    return None if day is None else format_jalali(day)


@lru_cache(maxsize=4_096)
def _name(text: str) -> str:
    """A make or a model as it is stored: one spelling of each letter, single blanks."""
    return _tidy(text.translate(_ARABIC_FORMS))


@lru_cache(maxsize=4_096)
def _tidy(text: str) -> str:
    return _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def _city(text: str) -> str:
    return _tidy(text).upper()


def _whole(text: str) -> int | None:
    """The whole number that `text` writes with digits of any script and groups of three, or None."""
    plain = ascii_digits(text).strip()
    if len(plain) > 32 or not _GROUPED.fullmatch(plain):
        return None
    return int(_SEPARATORS.sub("", plain))
