"""`avarez conformance URL --secret FILE`: whether a receiver does with our messages what a receiver should.

Sends a made-up city's events to the endpoint, some good and many bad, and holds its answers to what
`docs/municipalities.md` asks for. Use a test installation with empty books: what is taken is taken. With
`--pull-port` the same events are offered by pull on 127.0.0.1 (any name and password), and gaps must be fetched.

Exit codes: 0 it conforms; 1 it does not (with --strict, advice counts too); 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from avarez.clock import SystemClock
from avarez.events.chain import GENESIS
from avarez.municipalities import is_municipality
from avarez.webhooks import sign
from avarez_cli.conformance import bodies, ordering, signatures
from avarez_cli.conformance.city import MadeUpCity
from avarez_cli.conformance.pulling import Pulled
from avarez_cli.conformance.trial import Case, NotChecked, Trial

WRONG_USE: Final = 2
CASES: Final = (*signatures.CASES, *ordering.CASES, *bodies.CASES)
_HASH: Final = re.compile("[0-9a-f]{64}")
WORDS: Final = {
    "passed": "قبول | PASSED",
    "failed": "رد | FAILED",
    "advice": "توصیه | ADVICE",
    "not_checked": "بررسی نشد | NOT CHECKED",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case came to: `passed`, `failed`, `advice` (failed, and no must) or `not_checked`; and why."""

    case: Case
    result: str
    seen: str


def register(subparsers: Any) -> None:
    """Adds `conformance` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "conformance", help="try a receiver of our messages", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("url", metavar="URL", nargs="?", default="", help="the endpoint of a test installation")
    parser.add_argument("--secret", type=Path, help="a file with whsec_…; a second line is tried as well")
    parser.add_argument("--municipality", default="TEHRAN", metavar="CODE", help="whose events it takes (TEHRAN)")
    parser.add_argument("--after", type=int, default=0, metavar="N", help="the last event that it has (0: none)")
    parser.add_argument("--after-hash", default=GENESIS, metavar="HASH", help="the hash of that event")
    parser.add_argument("--pull-port", type=int, metavar="PORT", help="offer the events by pull on 127.0.0.1")
    parser.add_argument("--within", type=float, default=10.0, metavar="SECONDS", help="a gap is fetched so soon")
    parser.add_argument("--strict", action="store_true", help="fail where advice is not followed")
    parser.add_argument("--list", action="store_true", help="print the cases, and try nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each case, and what the ledger should hold now."""
    if arguments.list:
        for case in CASES:
            print(f"{case.name:24} {'must' if case.must else 'advice':7} {case.title_fa} | {case.title_en}")
        return 0
    url = urlsplit(arguments.url)
    if url.scheme not in ("http", "https") or not url.hostname or arguments.secret is None:
        return _wrong_use("the endpoint's address begins with https://, and --secret names a file")
    if not is_municipality(arguments.municipality):
        return _wrong_use(f"there is no municipality {arguments.municipality}")
    if arguments.after < 0 or _HASH.fullmatch(arguments.after_hash) is None:
        return _wrong_use("--after is a place in the chain, --after-hash its 64 hexadecimal digits")
    secrets = arguments.secret.read_text(encoding="ascii").split()
    clock = SystemClock()
    try:
        for secret in secrets or [""]:
            sign("ms_1", clock.now(), b"", [secret])
    except ValueError as error:
        return _wrong_use(str(error))
    city = MadeUpCity(arguments.municipality, arguments.after, arguments.after_hash)
    pulled = Pulled(city, arguments.pull_port) if arguments.pull_port is not None else None
    try:
        trial = Trial(url, secrets, city, clock.now, pulled, arguments.within)
        found = tried(trial)
    finally:
        if pulled:
            pulled.close()
    failed = {"failed", "advice"} if arguments.strict else {"failed"}
    _print(arguments, city, found)
    return 1 if any(one.result in failed for one in found) else 0


def tried(trial: Trial) -> list[Finding]:
    """Every case, in its order: the events of one build on those of the one before."""
    found = []
    for case in CASES:
        try:
            wrong = case.run(trial)
        except NotChecked as needs:
            found.append(Finding(case, "not_checked", str(needs)))
            continue
        result = "passed" if not wrong else "failed" if case.must else "advice"
        found.append(Finding(case, result, wrong))
    return found


def _print(arguments: argparse.Namespace, city: MadeUpCity, found: Sequence[Finding]) -> None:
    counted = {result: sum(one.result == result for one in found) for result in WORDS}
    ledger = [
        {"account": account, "debit_rial": str(debit_rial), "credit_rial": str(credit_rial)}
        for account, (debit_rial, credit_rial) in city.balance().items()
    ]
    if arguments.json:
        cases = [
            {
                "case": one.case.name,
                "must": one.case.must,
                "result": one.result,
                "seen": one.seen,
                "title_fa": one.case.title_fa,
                "title_en": one.case.title_en,
            }
            for one in found
        ]
        told = {"url": arguments.url, "counted": counted, "cases": cases, "ledger": ledger}
        told |= {"sequence": city.sequence, "hash": city.hash}
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in found:
        print(f"{WORDS[one.result]:24} {one.case.name:24} {one.case.title_fa} | {one.case.title_en}")
        if one.seen:
            print(f"{'':24} {one.seen}")
    print("  ".join(f"{WORDS[result]}: {count}" for result, count in counted.items()))
    print(f"دفتر شما باید چنین باشد | your ledger should hold, to event {city.sequence} {city.hash}:")
    for row in ledger:
        print(f"  {row['account']:42}{int(row['debit_rial']):>20,}{int(row['credit_rial']):>20,}")


def _wrong_use(words: str) -> int:
    print(f"avarez conformance: {words}", file=sys.stderr)
    return WRONG_USE
