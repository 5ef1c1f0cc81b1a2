"""`avarez trial-balance` and `avarez check-invariants`: a city's books, asked of a running system.

Exit codes: 0 the books are whole, 1 an invariant is broken or debits and credits differ, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import urlencode

from avarez_cli import api


def register(subparsers: Any) -> None:
    """Adds both to the command line."""
    balance: argparse.ArgumentParser = subparsers.add_parser(
        "trial-balance", help="debits and credits of each account", description=__doc__
    )
    balance.add_argument("--municipality", required=True, metavar="CODE")
    balance.add_argument("--from", dest="first", default="", metavar="DATE", help="Jalali, today unless given")
    balance.add_argument("--to", dest="last", default="", metavar="DATE", help="Jalali, today unless given")
    balance.set_defaults(run=trial_balance)
    invariants: argparse.ArgumentParser = subparsers.add_parser(
        "check-invariants", help="whether the books of a day are whole", description=__doc__
    )
    invariants.add_argument("--municipality", required=True, metavar="CODE")
    invariants.add_argument("--day", default="", metavar="DATE", help="Jalali, today unless given")
    invariants.set_defaults(run=check_invariants)
    for parser in (balance, invariants):
        parser.add_argument("--json", action="store_true", help="print JSON")
        api.add_arguments(parser, required=True)


def trial_balance(arguments: argparse.Namespace) -> int:
    """Prints each account's debits, credits and balance."""
    asked = {"from_jalali": arguments.first, "to_jalali": arguments.last}
    query = {name: text for name, text in asked.items() if text}
    told = _asked(arguments, "trial-balance", query)
    if told is None:
        return 2
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print(f"{told['municipality']}  {told['from_jalali']} – {told['to_jalali']}  {told['entries']} entries")
        for row in told["accounts"]:
            print(f"{row['account']:44}{_grouped(row['debit_rial'])}{_grouped(row['credit_rial'])}")
        print(f"{'':44}{_grouped(told['debit_rial'])}{_grouped(told['credit_rial'])}")
    return 0 if told["debit_rial"] == told["credit_rial"] else 1


def check_invariants(arguments: argparse.Namespace) -> int:
    """Prints what is broken; 1 if anything is."""
    told = _asked(arguments, "invariants", {"day_jalali": arguments.day} if arguments.day else {})
    if told is None:
        return 2
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        counted = " ".join(f"{name}:{count}" for name, count in told["invariants"].items())
        print(f"{told['municipality']}  {told['day_jalali']}  {told['entries']} entries  {counted}")
        for one in told["broken"]:
            print(f"  {one['invariant']} {one['of']}: {one['how']}")
    return 1 if told["broken"] else 0


def _asked(arguments: argparse.Namespace, what: str, query: dict[str, str]) -> dict[str, Any] | None:
    """The answer; None, with a word on the error output, where there is none."""
    if not api.is_origin(arguments.origin):
        print("avarez: --origin is an address such as https://avarez.example", file=sys.stderr)
        return None
    path = f"/v1/municipalities/{arguments.municipality}/{what}"
    try:
        client = api.Api.signed_in(arguments.origin, arguments.username)
        return dict(client.call("GET", f"{path}?{urlencode(query)}" if query else path))
    except api.Refused as refusal:
        print(f"avarez: {refusal}", file=sys.stderr)
        return None


def _grouped(rial: str) -> str:
    return f"{int(rial):>22,}"
