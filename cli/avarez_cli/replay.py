"""`avarez replay`: assesses again what was assessed before, and tells any difference.

Each ITEM is a file of stored answers (`GET /v1/assessments/{id}`; one JSON object, or one a line), or with
--origin the id of an assessment (`as_…`). Tariffs are looked up by the version that an answer names: among
--tariff, each a directory of files or a published document, or with --origin from the service.

Exit codes: 0 every one replays to the rial, 1 some do not or their tariff is not at hand, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from avarez.assessment import Tariff, load_tariff, tariff_from_document
from avarez.assessment.replay import differences
from avarez.digits import persian_digits
from avarez.errors import AvarezError, TariffInvalid
from avarez_cli import api

EXIT_OK: Final = 0
EXIT_DIFFERENT: Final = 1
EXIT_WRONG_USE: Final = 2
SHOWN_MAX: Final = 20


def register(subparsers: Any) -> None:
    """Adds `replay` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "replay", help="assess again what was assessed before", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("items", nargs="+", metavar="ITEM")
    parser.add_argument("--tariff", type=Path, action="append", default=[], metavar="PATH",
                        help="a tariff's directory or published document; may be given several times")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    api.add_arguments(parser, required=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replays and prints."""
    try:
        tariffs = _Tariffs([_tariff(path) for path in args.tariff])
        if args.origin:
            if not api.is_origin(args.origin) or not args.username:
                print("avarez: --origin begins with http:// or https:// and needs --username", file=sys.stderr)
                return EXIT_WRONG_USE
            tariffs.service = api.Api.signed_in(args.origin, args.username)
        results = [_result(answer, tariffs) for answer in _answers(args.items, tariffs.service)]
    except (api.Refused, TariffInvalid, ValueError, OSError) as fault:
        print(f"avarez: {getattr(fault, 'detail_en', '') or fault}", file=sys.stderr)
        return EXIT_WRONG_USE
    different = [result for result in results if result["differences"]]
    if args.json:
        print(json.dumps({"replayed": len(results), "different": different}, ensure_ascii=False, indent=1))
    else:
        print(f"{len(results)} replayed, {len(different)} different")
        print(f"{persian_digits(len(results))} بازمحاسبه، {persian_digits(len(different))} متفاوت")
        for result in different[:SHOWN_MAX]:
            for one in result["differences"]:
                print(f"{result['assessment_id']} {one['where']}: {one['stored']} → {one['replayed']}")
    return EXIT_DIFFERENT if different else EXIT_OK


class _Tariffs:
    """Tariffs by version, at hand or asked from the service."""

    def __init__(self, at_hand: list[Tariff]) -> None:
        self._known = {tariff.content_hash: tariff for tariff in at_hand}
        self.service: api.Api | None = None

    def version(self, wanted: str) -> Tariff | None:
        if wanted not in self._known and self.service is not None:
            try:
                document = self.service.tariff_document(wanted)
            except api.Refused:
                return None
            self._known[wanted] = tariff_from_document(document)
        return self._known.get(wanted)


def _tariff(path: Path) -> Tariff:
    if path.is_dir():
        return load_tariff(path)
    return tariff_from_document(json.loads(path.read_text(encoding="utf-8")))


def _answers(items: list[str], service: api.Api | None) -> Iterator[dict[str, Any]]:
    for item in items:
        if service is not None and item.startswith("as_") and not Path(item).exists():
            yield service.call("GET", f"/v1/assessments/{item}")
            continue
        text = Path(item).read_text(encoding="utf-8")
        try:
            found = [json.loads(text)]
        except ValueError:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        for answer in found:
            if not isinstance(answer, dict) or "trace_hash" not in answer:
                raise ValueError(f"{item}: no stored assessment")
            yield answer


def _result(answer: dict[str, Any], tariffs: _Tariffs) -> dict[str, Any]:
    tariff = tariffs.version(str(answer.get("tariff_version")))
    if tariff is None:
        found = [{"where": "/tariff_version", "stored": answer.get("tariff_version"), "replayed": "not at hand"}]
    else:
        try:
            found = [difference.to_json() for difference in differences(answer, tariff)]
        except (KeyError, TypeError, ValueError, AvarezError) as fault:
            found = [{"where": "/", "stored": "an assessment", "replayed": f"not readable: {fault!r}"}]
    return {"assessment_id": answer.get("assessment_id", ""), "differences": found}
