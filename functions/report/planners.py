"""What planners are answered: a city's forecast as it was published, and a comparison of its days with others'."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from avarez.errors import FieldError, FiguresNotFound, InvalidInput, MunicipalityUnknown
from avarez.figures.files import city_from
from avarez.jalali import format_jalali, read_jalali
from avarez.money import format_rial
from avarez.municipalities import is_municipality
from avarez.planning.curves import DayTotal, year_before
from avarez.planning.document import days_of
from avarez.planning.effects import DAYS_MAX, DAYS_MIN, Effect, Windows, compare
from functions.report import wiring

AGAINST_MAX: Final = 20
"""Cities in a comparison; each one's file is read for the answer."""
ALL: Final = "all"
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
LENGTH: Final = re.compile(r"[0-9]{1,3}", re.ASCII)


def planning(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The city's files for planners, read. Raises: FiguresNotFound where it has none yet."""
    files = entry.get("planning")
    if files is None:
        raise FiguresNotFound()
    named = {form: {**of, "href": f"/v1/open/files/{of['name']}"} for form, of in files.items()}
    return {**json.loads(wiring.shelf().read(files["json"]["name"])), "files": named}


def effect(cities: Sequence[Mapping[str, Any]], asked: Mapping[str, str]) -> dict[str, Any]:
    """The comparison of the city's days before and after a day with the year before and with other cities.

    Raises:
        FiguresNotFound: nothing of the city is published.
        InvalidInput: no such day or length, an unknown city, or days that are not wholly told yet.
    """
    code, entries = asked["municipality"], {str(of["municipality"]): of for of in cities}
    if code not in entries:
        raise FiguresNotFound()
    day, length = _day(asked["day"]), _length(asked["days"])
    against = _against(asked["against"], code, entries)
    others = {other: _days(entries[other]) for other in against}
    found = compare(_days(entries[code]), others, day, length)
    if found is None:
        raise _invalid(
            "/day",
            "days_not_told",
            "The figures do not hold all days of both windows.",
            "آمار همهٔ روزهای دو بازه را ندارد.",
        )
    return {
        "municipality": code,
        "day_jalali": format_jalali(day),
        "day_year_before_jalali": format_jalali(year_before(day)),
        "days": length,
        **_told(found),
    }


def _days(entry: Mapping[str, Any]) -> list[DayTotal]:
    return days_of(city_from(wiring.shelf().read(entry["files"]["json"]["name"])))


def _day(text: str) -> date:
    day = read_jalali(text) if DAY.fullmatch(text) else None
    if day is None:
        raise _invalid(
            "/day", "date_invalid", "No such day; write 1404-11-10.", "چنین روزی نیست؛ مانند 1404-11-10."
        )
    return day


def _length(text: str) -> int:
    if LENGTH.fullmatch(text) is None or not DAYS_MIN <= int(text) <= DAYS_MAX:
        raise _invalid(
            "/days",
            "out_of_range",
            f"From {DAYS_MIN} to {DAYS_MAX} days.",
            f"از {DAYS_MIN} تا {DAYS_MAX} روز.",
        )
    return int(text)


def _against(text: str, code: str, entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The other cities: those that are named, or the ones of most payments."""
    if text == ALL:
        ordered = sorted(entries, key=lambda other: (-int(entries[other]["totals"]["payments"]), other))
        return [other for other in ordered if other != code][:AGAINST_MAX]
    named = list(dict.fromkeys(text.split(",")))
    if not all(is_municipality(other) for other in named):
        raise MunicipalityUnknown()
    if len(named) > AGAINST_MAX or code in named:
        raise _invalid("/against", "out_of_range", f"At most {AGAINST_MAX} other cities.", "حداکثر ۲۰ شهر دیگر.")
    return [other for other in named if other in entries]


def _told(found: Effect) -> dict[str, Any]:
    return {
        "city": _windows(found.city),
        "city_year_before": _windows(found.city_year_before),
        "others": _windows(found.others),
        "others_year_before": _windows(found.others_year_before),
        "against": list(found.against),
        "over_own_year_ppm": found.over_own_year_ppm,
        "over_others_ppm": found.over_others_ppm,
        "over_both_ppm": found.over_both_ppm,
        "definition": "/v1/open/definitions/effect",
    }


def _windows(of: Windows | None) -> dict[str, Any] | None:
    if of is None:
        return None
    return {
        "before_rial": format_rial(of.before_rial),
        "after_rial": format_rial(of.after_rial),
        "before_payments": of.before_payments,
        "after_payments": of.after_payments,
        "change_ppm": of.change_ppm,
    }


def _invalid(pointer: str, code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(errors=[FieldError(pointer, code, message_en, message_fa)])
