"""`avarez roll check|import`: checks a roll's CSV offline, or sends it to a city through the public API.

Exit codes: 0 every row is good (check) or the roll was previewed or committed (import); 1 rows or the file are
refused; 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from avarez.errors import InvalidInput
from avarez.roll.refusals import Refusal, refused_lines
from avarez.roll.rows import RollReader
from avarez_cli.api import Api, Refused, add_arguments, is_origin, opened

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_WRONG_USE: Final = 2
SHOWN_REFUSALS_MAX: Final = 20
UPLOAD_TIMEOUT_S: Final = 1_800
PREVIEW_TIMEOUT_S: Final = 1_800
"""A million rows are staged in less."""
POLL_S: Final = 0.5


def register(subparsers: Any) -> None:
    """Adds `roll` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "roll", help="check a roll's CSV, or send it to a city", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="check a CSV offline, row by row")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--municipality", metavar="CODE", help="whose roll it is (default: the first row's)")
    check.add_argument("--refused", type=Path, metavar="OUT.csv", help="write the refused rows to a file")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=run)
    send = actions.add_parser("import", help="upload a CSV, show the preview, commit it when told to")
    send.add_argument("file", type=Path, metavar="FILE")
    send.add_argument("--municipality", required=True, metavar="CODE")
    add_arguments(send, required=True)
    send.add_argument("--commit", action="store_true", help="commit the preview")
    send.add_argument("--json", action="store_true", help="print JSON")
    send.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the action and returns the exit code."""
    return _check(args) if args.action == "check" else _import(args)


def _check(args: argparse.Namespace) -> int:
    reader = RollReader(args.municipality)
    shown: list[Refusal] = []
    out = args.refused.open("w", encoding="utf-8", newline="") if args.refused else None
    try:
        lines = refused_lines(_refusals(reader, args.file, shown))
        for line in lines:
            if out is not None:
                out.write(line)
    except InvalidInput as fault:
        found = [{"pointer": one.pointer, "code": one.code, "message": one.message_en} for one in fault.errors]
        _print(args, {"status": "failed", "errors": found}, [f"{one['code']}: {one['message']}" for one in found])
        return EXIT_REFUSED
    finally:
        if out is not None:
            out.close()
    counts = reader.counts
    result = {
        "municipality": reader.municipality,
        "rows_read": counts.rows_read,
        "accepted": counts.rows_accepted,
        "refused": counts.rows_refused,
        "refused_by_code": dict(sorted(counts.by_code.items())),
    }
    text = [f"{counts.rows_read} rows read, {counts.rows_accepted} good, {counts.rows_refused} refused"]
    text += [f"  {code}: {number}" for code, number in sorted(counts.by_code.items())]
    text += [f"row {one.row} {one.column}: {one.code}: {one.message_en}" for one in shown]
    _print(args, result, text)
    return EXIT_REFUSED if counts.rows_refused else EXIT_OK


def _refusals(reader: RollReader, path: Path, shown: list[Refusal]) -> Any:
    with path.open(encoding="utf-8", newline="") as lines:
        for outcome in reader.read(lines):
            if isinstance(outcome, tuple):
                shown.extend(outcome[: max(SHOWN_REFUSALS_MAX - len(shown), 0)])
                yield from outcome


def _import(args: argparse.Namespace) -> int:
    if not is_origin(args.origin):
        print("avarez: --origin must begin with http:// or https://", file=sys.stderr)
        return EXIT_WRONG_USE
    try:
        api = Api.signed_in(args.origin, args.username)
        roll = api.call("POST", "/v1/rolls", {"municipality": args.municipality})
        _upload(roll["upload"], args.file)
        address = f"/v1/rolls/{roll['roll_id']}"
        roll = _preview(api, address)
        if roll["status"] == "previewed" and args.commit:
            roll = api.call("POST", f"{address}/commit", {})
    except Refused as refused:
        print(f"avarez: {refused}", file=sys.stderr)
        return EXIT_REFUSED
    text = [f"{roll['roll_id']} {args.municipality}: {roll['status']}"]
    text += [f"  {name}: {roll[name]}" for name in ("rows_read", "added", "changed", "unchanged", "refused")]
    if roll.get("refused_rows_url"):
        text.append(f"  refused rows: {roll['refused_rows_url']}")
    if roll.get("fault"):
        text.append(f"  {roll['fault']['code']}: {roll['fault']['detail_en']}")
    _print(args, roll, text)
    return EXIT_OK if roll["status"] in ("previewed", "committed") else EXIT_REFUSED


def _preview(api: Api, address: str) -> dict[str, Any]:
    deadline = time.monotonic() + PREVIEW_TIMEOUT_S
    while time.monotonic() < deadline:
        roll = api.call("GET", address)
        if roll["status"] not in ("awaiting_upload", "checking"):
            return roll
        time.sleep(POLL_S)
    raise Refused(f"the roll is not checked after {PREVIEW_TIMEOUT_S} s; ask {address} later")


def _upload(upload: dict[str, Any], path: Path) -> None:
    with path.open("rb") as file:
        headers = {"content-type": "text/csv", "content-length": str(path.stat().st_size)}
        request = urllib.request.Request(  # noqa: S310 - the service's own address
            upload["url"], data=file, method="PUT", headers=headers
        )
        opened(request, UPLOAD_TIMEOUT_S)


def _print(args: argparse.Namespace, result: Any, text: list[str]) -> None:
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    width = shutil.get_terminal_size((115, 24)).columns
    print("\n".join(line if line.strip().startswith("refused rows") else line[: max(width, 80)] for line in text))
