"""`avarez tariff check|simulate`: reviews a draft tariff offline, and shows what it does to a roll.

Exit codes: 0 the draft may be published (check), the simulation is made; 1 it may not, or the roll finds gaps;
2 wrong use.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from avarez.assessment import Tariff, Vehicle, load_tariff
from avarez.assessment.review import Coverage, Finding, coverage_of, review
from avarez.clock import SystemClock, tehran_today
from avarez.digits import grouped_en
from avarez.errors import InvalidInput, TariffInvalid
from avarez.jalali import read_jalali, to_jalali
from avarez.municipalities import is_municipality
from avarez.roll.rows import RollReader, RollRow

EXIT_OK: Final = 0
EXIT_NEGATIVE: Final = 1
EXIT_WRONG_USE: Final = 2
SHOWN_MAX: Final = 50


def register(subparsers: Any) -> None:
    """Adds `tariff` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tariff", help="check a draft tariff, or simulate it on a roll", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="every fault of a draft, each with its mend")
    simulate = actions.add_parser("simulate", help="what a draft does to a roll, beside the published tariff")
    for action in (check, simulate):
        action.add_argument("draft", type=Path, metavar="DIR", help="the directory of the draft's files")
        action.add_argument("--published", type=Path, metavar="DIR", help="the tariff in force")
        action.add_argument("--as-of", metavar="DATE", help="Gregorian or Jalali; today in Tehran by default")
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=run)
    check.add_argument("--city", metavar="CODE", help="the draft is this municipality's own")
    check.add_argument("--roll", type=Path, metavar="CSV", help="count the vehicles it has no principal for")
    simulate.add_argument("--roll", type=Path, metavar="CSV", action="append", required=True,
                          help="a city's roll; may be given several times")  # fmt: skip
    simulate.add_argument("--through-year", type=int, metavar="YEAR", help="the last duty year")


def run(args: argparse.Namespace) -> int:
    """Runs the action and returns the exit code."""
    as_of = _day(args.as_of)
    if as_of is None:
        print(f"avarez: {args.as_of!r} is not a date / تاریخ درستی نیست", file=sys.stderr)
        return EXIT_WRONG_USE
    try:
        published = load_tariff(args.published) if args.published else None
    except TariffInvalid as fault:
        print(f"avarez: --published: {fault.detail_en}\n{fault.detail_fa}", file=sys.stderr)
        return EXIT_WRONG_USE
    try:
        draft = load_tariff(args.draft)
    except TariffInvalid as refused:
        found = [{"pointer": f.pointer, "code": f.code, "message": f.message_en, "message_fa": f.message_fa}
                 for f in refused.errors]  # fmt: skip
        _print(args, {"publishable": False, "readable": False, "findings": found}, _finding_lines(found))
        return EXIT_NEGATIVE
    try:
        return _check(args, draft, published, as_of) if args.action == "check" else _simulate(
            args, draft, published, as_of
        )  # fmt: skip
    except (InvalidInput, OSError, UnicodeDecodeError) as fault:
        print(f"avarez: --roll: {getattr(fault, 'detail_en', '') or fault}", file=sys.stderr)
        return EXIT_WRONG_USE


def _check(args: argparse.Namespace, draft: Tariff, published: Tariff | None, as_of: date) -> int:
    findings = review(
        draft, published=published, as_of=as_of, is_municipality=is_municipality, of_city=args.city
    )  # fmt: skip
    result: dict[str, Any] = {
        "publishable": not findings,
        "readable": True,
        "tariff_version": draft.content_hash,
        "rows": len(draft.document["rows"]),
        "findings": [_finding(finding) for finding in findings],
    }
    lines = [f"{draft.content_hash}: {result['rows']} rows, {len(findings)} findings / {len(findings)} یافته"]
    lines += _finding_lines(result["findings"])
    coverage = None
    if args.roll:
        coverage = _coverage(args.roll, draft, as_of)
        result["coverage"] = coverage.to_json()
        lines.append(f"roll: {coverage.vehicles:,} vehicles / {coverage.vehicles:,} خودرو")
        lines += [
            f"  no principal: {gap['vehicle_class']} {gap['year']}: {gap['vehicles']:,} vehicles"
            for gap in result["coverage"]["missing"]
        ]
    _print(args, result, lines)
    return EXIT_NEGATIVE if findings or (coverage and not coverage.whole) else EXIT_OK


def _coverage(path: Path, draft: Tariff, as_of: date) -> Coverage:
    rows = list(_rows(path))
    city = rows[0].municipality if rows else ""
    vehicles = (Vehicle.from_json(row.facts()) for row in rows if not row.ended)
    return coverage_of(vehicles, draft, city, as_of, to_jalali(as_of).year)


def _simulate(args: argparse.Namespace, draft: Tariff, published: Tariff | None, as_of: date) -> int:
    from avarez.fleet.columns import ColumnWriter
    from avarez.fleet.fleet import Fleet
    from avarez.fleet.simulation import Simulation

    simulation = Simulation(published, draft, as_of, args.through_year or to_jalali(as_of).year)
    for path in args.roll:
        writer, file, city = ColumnWriter(), io.BytesIO(), ""
        for row in _rows(path):
            city = row.municipality
            writer.add_row(row)
        writer.write(file)
        file.seek(0)
        simulation.add_city(city, Fleet.read(file).in_use())
    result = simulation.to_json()
    _print(args, result, _simulation_lines(result))
    return EXIT_OK


def _rows(path: Path) -> Iterator[RollRow]:
    with path.open(encoding="utf-8", newline="") as lines:
        for outcome in RollReader().read(lines):
            if isinstance(outcome, RollRow):
                yield outcome


def _day(text: str | None) -> date | None:
    if text is None:
        return tehran_today(SystemClock().now())
    try:
        return read_jalali(text) or date.fromisoformat(text)
    except ValueError:
        return None


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "pointer": finding.pointer,
        "code": finding.rule,
        "message": finding.message_en,
        "message_fa": finding.message_fa,
    }


def _finding_lines(findings: Sequence[dict[str, str]]) -> list[str]:
    lines = []
    for finding in findings[:SHOWN_MAX]:
        lines += [f"{finding['pointer']}: {finding['code']}: {finding['message']}", f"    {finding['message_fa']}"]
    if len(findings) > SHOWN_MAX:
        lines.append(f"and {len(findings) - SHOWN_MAX} more; --json has them all")
    return lines


def _simulation_lines(result: dict[str, Any]) -> list[str]:
    lines = []
    for place in ({"municipality": "all", **result}, *result["cities"]):
        total = place["totals"]
        lines.append(
            f"{place['municipality']}: {total['vehicles']:,} vehicles, before {_amount(total['before_rial'])}, "
            f"after {_amount(total['after_rial'])}, difference {_amount(total['difference_rial'])} rial; "
            f"{total['losers']:,} pay more, {total['winners']:,} less"
        )
        if total["not_assessed_after"]:
            lines.append(f"  not assessed, for want of a tariff: {total['not_assessed_after']:,} vehicles")
        for name, member in (("by_class", "vehicle_class"), ("by_age", "age_years")):
            for group in place.get(name, ()):
                lines.append(
                    f"  {group[member]:>14}  {group['vehicles']:>10,}  {_amount(group['before_rial']):>24} → "
                    f"{_amount(group['after_rial']):>24}"
                )
        for example in place.get("examples", ()):
            lines.append(f"  {example['plate']}: {_amount(example['difference_rial'])} rial")
            lines += [f"      {part['text_en']} / {part['text_fa']}" for part in example["changes"]]
    return lines


def _amount(text: str) -> str:
    return grouped_en(int(text))


def _print(args: argparse.Namespace, result: Any, lines: Sequence[str]) -> None:
    print(json.dumps(result, ensure_ascii=False, indent=1) if args.json else "\n".join(lines))
