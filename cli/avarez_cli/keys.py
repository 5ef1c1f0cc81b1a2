"""`avarez keys list|rotate|compromise`: the signing keys of a running system, for operators.

`rotate` lets the next key sign from now on. `compromise` notes from when on somebody else may have had a key; if
it signs, the next one does at once. docs/operations.md says what else to do then.

Exit codes: 0 done, 1 refused, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from avarez_cli import api

EXIT_REFUSED = 1
EXIT_WRONG_USE = 2
_KID = re.compile(r"[A-Za-z0-9_-]{11}")


class _KeysParser(argparse.ArgumentParser):
    """A parser that takes a key's id for what it is where it begins with `-`, as one id in 64 does."""

    def parse_known_args(  # type: ignore[override]  # typeshed's overloads are for other kinds of namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does it, with such an id moved behind `--`."""
        given = list(sys.argv[1:] if args is None else args)
        ids = [one for one in given if one.startswith("-") and _KID.fullmatch(one)]
        if ids:
            given = [*(one for one in given if one not in ids), "--", *ids]
        return super().parse_known_args(given, namespace)


def register(subparsers: Any) -> None:
    """Adds `keys` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "keys", help="signing keys: list, rotate, mark as stolen", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_KeysParser)
    listed = actions.add_parser("list", help="every key with its state")
    rotate = actions.add_parser("rotate", help="the next key signs from now on")
    compromise = actions.add_parser("compromise", help="a key is stolen, or may be")
    compromise.add_argument("kid", metavar="KID")
    compromise.add_argument("--since", required=True, metavar="TIME", help="such as 2026-11-24T08:00:00Z")
    for action in (rotate, compromise):
        action.add_argument("--reason", required=True, metavar="TEXT")
    for action in (listed, rotate, compromise):
        action.add_argument("--json", action="store_true", help="print JSON")
        api.add_arguments(action, required=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the keys as they stand afterwards."""
    if not api.is_origin(arguments.origin):
        print("avarez: --origin is an address such as https://avarez.example", file=sys.stderr)
        return EXIT_WRONG_USE
    try:
        client = api.Api.signed_in(arguments.origin, arguments.username)
        told = client.call(*_request(arguments))
    except api.Refused as refusal:
        print(f"avarez: {refusal}", file=sys.stderr)
        return EXIT_REFUSED
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return 0
    for key in told["keys"]:
        times = "  ".join(f"{name} {key[name]}" for name in sorted(key) if name.endswith("_at"))
        print(f"{key['kid']}  {key['status']:12}{times}")
    if not told["has_standby"]:
        print("no key waits to take over: deploy one more | کلید جانشین نیست", file=sys.stderr)
    return 0


def _request(arguments: argparse.Namespace) -> tuple[str, str, dict[str, str] | None]:
    if arguments.action == "rotate":
        return "POST", "/v1/signing-keys/rotations", {"reason": arguments.reason}
    if arguments.action == "compromise":
        body = {"since_at": arguments.since, "reason": arguments.reason}
        return "POST", f"/v1/signing-keys/{arguments.kid}/compromises", body
    return "GET", "/v1/signing-keys", None
