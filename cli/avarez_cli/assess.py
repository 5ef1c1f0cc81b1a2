"""`avarez assess`: what a vehicle owes on a day, from files alone, with every line explained.

The same engine as behind `POST /v1/assessments`, so a municipality's technician or an auditor can recompute
any quote offline and compare its `trace_hash`.

Exit codes: 0 assessed (whatever is owed), 1 the tariff does not allow an assessment, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from avarez.assessment import Assessment, PaidYear, Residence, Vehicle, assess, load_tariff
from avarez.digits import grouped_en, persian_digits
from avarez.errors import AvarezError, FieldError, InvalidInput, TariffInvalid, TariffMissing
from avarez.jalali import format_jalali_fa, parse_jalali, read_jalali
from avarez.money import parse_rial
from avarez.plates import parse_plate

EXIT_OK: Final = 0
EXIT_NEGATIVE: Final = 1
EXIT_WRONG_USE: Final = 2
MAX_VEHICLE_BYTES: Final = 1_000_000
MAX_ENTRIES: Final = 200
"""Of `residences` and of `payments` in a vehicle's file: more than any vehicle can have."""

_EPILOG = """
The vehicle's file is one JSON object: vehicle_class (or class), origin, fuel, model_year, model_calendar,
make, model, base_price_rial ("2400000000"), and where known cylinders, displacement_cc, sale_date_jalali,
residence_from_jalali, municipality, plate,
residences: [{"municipality", "from_jalali", "to_jalali"}],
payments: [{"year", "amount_rial", "paid_on_jalali", "payment_id", "municipality"}].
"""


def register(subparsers: Any) -> None:
    """Adds `assess` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "assess",
        help="what a vehicle owes on a day, with every line explained",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tariff", required=True, type=Path, metavar="DIR", help="directory of tariff files")
    parser.add_argument("--vehicle", required=True, type=Path, metavar="FILE", help="the vehicle, as JSON")
    parser.add_argument(
        "--as-of", required=True, metavar="DATE", help="Gregorian 2026-11-23, or Jalali 1405-09-02"
    )
    parser.add_argument(
        "--municipality", metavar="CODE", help="the city that assesses (default: the one in the vehicle's file)"
    )
    parser.add_argument("--through-year", type=int, metavar="YEAR", help="the last duty year (default: of DATE)")
    parser.add_argument("--json", action="store_true", help="print JSON, as the API answers")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Assesses and prints; the exit code of the module's table."""
    try:
        facts = _read_vehicle(args.vehicle)
        municipality = args.municipality or facts.get("municipality")
        if not isinstance(municipality, str) or not municipality:
            raise _wrong(
                "/municipality",
                "name the city with --municipality, or in the vehicle's file",
                "شهر را با ‎--municipality یا در فایل خودرو بنویسید",
            )
        plate = parse_plate(str(facts["plate"])) if facts.get("plate") else None
        if plate is not None:
            facts.setdefault("plate_kind", plate.kind.value)
        answer = assess(
            Vehicle.from_json(facts),
            _residences(facts, municipality),
            _payments(facts),
            load_tariff(args.tariff),
            _read_day(args.as_of),
            args.through_year,
            municipality,
        )
    except (TariffMissing, TariffInvalid) as error:
        return _report(error, as_json=args.json, exit_code=EXIT_NEGATIVE)
    except AvarezError as error:
        return _report(error, as_json=args.json, exit_code=EXIT_WRONG_USE)
    if args.json:
        print(
            json.dumps(
                {"plate": plate.to_json() if plate else None, **answer.to_json()}, ensure_ascii=False, indent=2
            )
        )
    else:
        _print(answer)
    return EXIT_OK


def _print(answer: Assessment) -> None:
    print(f"{answer.municipality}  as of {answer.as_of}  /  به تاریخ {format_jalali_fa(answer.as_of)}")
    for line in answer.lines:
        print(f"{grouped_en(line.amount_rial):>20}  {line.text_en}")
        print(f"{'':>20}  {line.text_fa}")
    for note in answer.notes:
        texts = note.to_json()
        print(f"{'note':>20}  {texts['text_en']}")
        print(f"{'':>20}  {texts['text_fa']}")
    print(f"{grouped_en(answer.owed_rial):>20}  owed, in rial / بدهی به ریال")
    print(f"{'trace':>20}  {answer.trace_hash}")
    print(f"{'tariff':>20}  {answer.tariff_version}")


def _report(error: AvarezError, *, as_json: bool, exit_code: int) -> int:
    if as_json:
        problem = {
            "code": error.code,
            "detail": error.detail_en,
            "detail_fa": error.detail_fa,
            "errors": [
                {"pointer": fault.pointer, "code": fault.code, "message": fault.message_en}
                for fault in error.errors
            ],
            **error.extra,
        }
        print(json.dumps(problem, ensure_ascii=False, indent=2))
        return exit_code
    print(f"{error.code}: {error.detail_en}", file=sys.stderr)
    print(persian_digits(error.detail_fa), file=sys.stderr)
    for fault in error.errors:
        print(f"  {fault.pointer}: {fault.message_en} / {fault.message_fa}", file=sys.stderr)
    return exit_code


def _wrong(pointer: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(message_en, message_fa, errors=[FieldError(pointer, "invalid", message_en, message_fa)])


def _read_vehicle(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_VEHICLE_BYTES:
            raise _wrong("", f"{path}: larger than {MAX_VEHICLE_BYTES:,} bytes", f"{path}: بیش از اندازه بزرگ است")
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong("", f"{path}: not readable as JSON: {error}", f"{path}: JSON خوانا نیست") from error
    if not isinstance(facts, dict):
        raise _wrong("", f"{path}: one JSON object is needed", f"{path}: یک شیء JSON لازم است")
    return facts


def _read_day(text: str) -> date:
    # No Gregorian year of this law is below 1900 and no Jalali one above 1499, so nothing is guessed.
    jalali = read_jalali(text)
    if jalali is not None:
        return jalali
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not date(1900, 1, 1) <= day < date(2120, 1, 1):
        raise _wrong("/as_of", f"{text!r} is not a date", f"«{text}» تاریخ درستی نیست")
    return day


def _entries(facts: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    entries = facts.get(member, [])
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise _wrong(
            f"/{member}", f"a list of at most {MAX_ENTRIES}", f"فهرستی با حداکثر {MAX_ENTRIES} سطر لازم است"
        )
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _wrong(f"/{member}/{number}", "a JSON object is needed", "یک شیء JSON لازم است")
    return entries


def _day(entry: Mapping[str, Any], member: str, pointer: str) -> date | None:
    value = entry.get(member)
    return None if value is None else parse_jalali(str(value), f"{pointer}/{member}")


def _residences(facts: Mapping[str, Any], municipality: str) -> list[Residence]:
    residences = []
    for number, entry in enumerate(_entries(facts, "residences")):
        pointer = f"/residences/{number}"
        city = entry.get("municipality")
        if not isinstance(city, str):
            raise _wrong(f"{pointer}/municipality", "the code of a municipality", "کد شهرداری لازم است")
        residences.append(Residence(city, _day(entry, "from_jalali", pointer), _day(entry, "to_jalali", pointer)))
    return residences or [Residence(municipality, _day(facts, "residence_from_jalali", ""))]


def _payments(facts: Mapping[str, Any]) -> list[PaidYear]:
    payments = []
    for number, entry in enumerate(_entries(facts, "payments")):
        pointer = f"/payments/{number}"
        year, paid_on = entry.get("year"), _day(entry, "paid_on_jalali", pointer)
        try:
            amount_rial = parse_rial(str(entry.get("amount_rial")))
        except ValueError:
            amount_rial = -1
        if type(year) is not int or amount_rial < 0 or paid_on is None:
            raise _wrong(
                pointer,
                "year, amount_rial (digits) and paid_on_jalali are needed",
                "year، amount_rial (با رقم) و paid_on_jalali لازم است",
            )
        city = entry.get("municipality")
        payments.append(
            PaidYear(
                year=year,
                amount_rial=amount_rial,
                paid_on=paid_on,
                payment_id=str(entry.get("payment_id", "")),
                municipality=city if isinstance(city, str) else None,
            )
        )
    return payments
