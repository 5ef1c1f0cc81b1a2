"""Use cases of a fleet: a list of up to 10,000 plates, assessed in chunks, with a verdict for every row.

Each chunk is done once, whoever delivers it how often; a chunk that failed is asked for again by `resume`. Quotes
are for today, so a fleet is too: `resume` on a later day assesses anew what is not paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import AvarezError, NothingOwed, PlateMalformed, TariffMissing, VehicleNotFound
from avarez.ids import new_id
from avarez.plates import read_plate
from avarez.quotes.quote import Quotes, Rows
from avarez.quotes.vehicles import VehicleRow, holder

PLATES_MAX: Final = 10_000
CHUNK_PLATES: Final = 50
"""Plates of one message: a second or two, so that a failed one is cheap to repeat; the item stays below 400 kB."""
PLATE_TEXT_MAX: Final = 64

Fleet = dict[str, Any]
Row = dict[str, Any]


class Verdict(StrEnum):
    """What became of one row."""

    OWED = "owed"
    NOTHING_OWED = "nothing_owed"
    MALFORMED = "plate_malformed"
    REPEATED = "plate_repeated"
    NOT_FOUND = "vehicle_not_found"
    TARIFF_MISSING = "tariff_missing"
    FAILED = "failed"


WORDS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.OWED: ("Owed; the quotes can be paid today.", "بدهکار؛ برآوردها امروز قابل پرداخت است."),
    Verdict.NOTHING_OWED: ("Nothing is owed.", "بدهی ندارد."),
    Verdict.MALFORMED: (
        "This is not a plate; write it like 12B345-67.",
        "پلاک درست نیست؛ مانند ۱۲ ب ۳۴۵ - ایران ۶۷.",
    ),
    Verdict.REPEATED: ("The same plate as an earlier row.", "همان پلاک سطر پیشین است."),
    Verdict.NOT_FOUND: (
        "In no city's roll; enter the vehicle from its card.",
        "در فهرست هیچ شهری نیست؛ خودرو را از روی کارت آن ثبت کنید.",
    ),
    Verdict.TARIFF_MISSING: (
        "There is no tariff for some of its years; tell the municipality.",
        "برای برخی سال‌های آن تعرفه نیست؛ به شهرداری بگویید.",
    ),
    Verdict.FAILED: ("Not assessed; resume the fleet.", "برآورد نشد؛ فهرست را از سر بگیرید."),
}


class Fleets(Protocol):
    """Where fleets, their plates and verdicts are kept."""

    def create(self, fleet: Fleet, chunks: Sequence[Mapping[str, Any]]) -> None: ...

    def chunk(self, fleet: Fleet, number: int) -> dict[str, Any]: ...

    def put_rows(self, fleet: Fleet, number: int, rows: Sequence[Row], sums: Mapping[str, Any]) -> None: ...

    def sums(self, fleet: Fleet) -> list[dict[str, Any]]: ...

    def send(self, fleet: Fleet, chunks: Sequence[int]) -> None: ...


class Finder(Protocol):
    """Looks a plate up in every city."""

    def find(self, by: str, value: str) -> list[VehicleRow]: ...

    def rows_of_vehicle(self, vehicle_id: str) -> list[VehicleRow]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What assessing a fleet's rows needs: quotes, the look-up, and whom the caller reaches."""

    quotes: Quotes[Rows]
    finder: Finder
    reaches: Callable[[str], bool]


def create(fleets: Fleets, *, title: str, plates: Sequence[str], by: str, serves: str, now: datetime) -> Fleet:
    """A new fleet whose rows are being assessed; which rows repeat an earlier one is settled here, once."""
    seen: set[str] = set()
    chunks: list[dict[str, Any]] = []
    for start in range(0, len(plates), CHUNK_PLATES):
        part = list(plates[start : start + CHUNK_PLATES])
        repeated = []
        for position, text in enumerate(part):
            key = _key(text)
            if key is not None and key in seen:
                repeated.append(position)
            elif key is not None:
                seen.add(key)
        chunks.append({"chunk": len(chunks), "plates": part, "repeated": repeated})
    fleet: Fleet = {
        "fleet_id": new_id("fl", now),
        "title": title,
        "rows": len(plates),
        "chunks": len(chunks),
        "created_by": by,
        "serves": serves,
        "created_at": to_rfc3339(now),
    }
    fleets.create(fleet, chunks)
    fleets.send(fleet, range(len(chunks)))
    return fleet


def resume(fleets: Fleets, fleet: Fleet, now: datetime) -> int:
    """Asks again for chunks that have no verdicts as of today, or some that failed; how many."""
    today = tehran_today(now).isoformat()
    whole = {sums["chunk"] for sums in fleets.sums(fleet) if sums["as_of"] == today and not _failed(sums)}
    wanted = [number for number in range(fleet["chunks"]) if number not in whole]
    fleets.send(fleet, wanted)
    return len(wanted)


def _failed(sums: Mapping[str, Any]) -> int:
    return int(sums["verdicts"].get(Verdict.FAILED.value, 0))


def assess_chunk(fleets: Fleets, desk: Desk, fleet: Fleet, number: int, now: datetime) -> list[Row]:
    """Assesses the plates of one chunk and keeps their verdicts; a repetition of the same day changes nothing."""
    chunk = fleets.chunk(fleet, number)
    today = tehran_today(now).isoformat()
    done = chunk.get("rows", []) if chunk.get("as_of") == today else []
    earlier = {row["row"]: row for row in done if row["verdict"] != Verdict.FAILED}
    rows: list[Row] = []
    for position, text in enumerate(chunk["plates"]):
        given = number * CHUNK_PLATES + position + 1
        if given in earlier:
            rows.append(earlier[given])
        elif position in chunk["repeated"]:
            rows.append(_row(given, text, Verdict.REPEATED, _key(text)))
        else:
            rows.append(_assessed(desk, given, text, _key(text), fleet, now))
    fleets.put_rows(fleet, number, rows, _sums(number, rows, today))
    return rows


def _sums(number: int, rows: Sequence[Row], today: str) -> dict[str, Any]:
    by_city: Counter[str] = Counter()
    for row in rows:
        for quote in row.get("quotes", ()):
            by_city[quote["municipality"]] += int(quote["owed_rial"])
    return {
        "chunk": number,
        "as_of": today,
        "verdicts": dict(Counter(str(row["verdict"]) for row in rows)),
        "owed_by_municipality": dict(by_city),
    }


def _key(text: str) -> str | None:
    plate = read_plate(text[:PLATE_TEXT_MAX])
    return None if plate is None else plate.key


def _assessed(desk: Desk, given: int, text: str, key: str | None, fleet: Fleet, now: datetime) -> Row:
    if key is None:
        return _row(given, text, Verdict.MALFORMED)
    try:
        quotes = _quotes(desk, key, fleet["created_by"], now)
    except (PlateMalformed, VehicleNotFound):
        return _row(given, text, Verdict.NOT_FOUND, key)
    except TariffMissing as missing:
        return {**_row(given, text, Verdict.TARIFF_MISSING, key), "tariff_missing": dict(missing.extra)}
    except NothingOwed:
        return _row(given, text, Verdict.NOTHING_OWED, key)
    except AvarezError as error:
        if not error.retryable:
            raise
        return _row(given, text, Verdict.FAILED, key)
    return {
        **_row(given, text, Verdict.OWED, key),
        "owed_rial": str(sum(int(quote["owed_rial"]) for quote in quotes)),
        "quotes": quotes,
    }


def _quotes(desk: Desk, plate: str, by: str, now: datetime) -> list[dict[str, Any]]:
    """A quote for each city in which the vehicle on this plate owes something today.

    Raises:
        VehicleNotFound, TariffMissing, NothingOwed.
    """
    found = holder(desk.finder.find("plate", plate))
    if found is None:
        raise VehicleNotFound()
    rows = [
        row for row in desk.finder.rows_of_vehicle(found.vehicle_id) or [found] if desk.reaches(row.municipality)
    ]
    if not rows:
        raise VehicleNotFound()
    quotes = []
    for city in dict.fromkeys(row.municipality for row in rows):
        there = holder([row for row in rows if row.municipality == city])
        if there is None:
            continue
        answer = desk.quotes.make(municipality=city, plate=there.plate, now=now, created_by=by)
        if int(answer["owed_rial"]) > 0:
            quotes.append({name: answer[name] for name in ("municipality", "assessment_id", "owed_rial")})
    if not quotes:
        raise NothingOwed()
    return quotes


def _row(given: int, text: str, verdict: Verdict, key: str | None = None) -> Row:
    english, persian = WORDS[verdict]
    return {
        "row": given,
        "given": text[:PLATE_TEXT_MAX],
        "plate": key,
        "verdict": verdict.value,
        "message_en": english,
        "message_fa": persian,
    }


def fleet_json(fleets: Fleets, fleet: Fleet, now: datetime) -> dict[str, Any]:
    """The fleet's progress and sums; `complete` once every row has a verdict as of today."""
    today = tehran_today(now).isoformat()
    verdicts: Counter[str] = Counter()
    by_city: Counter[str] = Counter()
    for sums in fleets.sums(fleet):
        if sums["as_of"] == today:
            verdicts.update(sums["verdicts"])
            by_city.update(sums["owed_by_municipality"])
    done = verdicts.total() - verdicts[Verdict.FAILED.value]
    return {
        **{name: fleet[name] for name in ("fleet_id", "title", "rows", "created_by", "created_at")},
        "status": "complete" if done == fleet["rows"] else "assessing",
        "as_of": today,
        "rows_done": done,
        "verdicts": dict(sorted(verdicts.items())),
        "owed_rial": str(by_city.total()),
        "owed_by_municipality": {city: str(amount) for city, amount in sorted(by_city.items())},
    }
