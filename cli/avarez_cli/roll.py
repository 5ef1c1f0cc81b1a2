"""`avarez roll check|import`: checks a roll's CSV offline, or sends it to a city through the public API.

Exit codes: 0 every row is good (check) or the roll was previewed or committed (import); 1 rows or the file are
refused; 2 wrong use.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from avarez.errors import InvalidInput
from avarez.roll.refusals import Refusal, refused_lines
from avarez.roll.rows import RollReader

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_WRONG_USE: Final = 2
SHOWN_REFUSALS_MAX: Final = 20
REQUEST_TIMEOUT_S: Final = 60
UPLOAD_TIMEOUT_S: Final = 1_800
PREVIEW_TIMEOUT_S: Final = 1_800
"""A million rows are staged in less."""
POLL_S: Final = 0.5
PASSWORD_VARIABLE: Final = "AVAREZ_PASSWORD"  # noqa: S105 - a name, no password


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
    send.add_argument("--origin", required=True, metavar="URL", help="such as https://avarez.example")
    send.add_argument("--username", required=True)
    send.add_argument("--commit", action="store_true", help="commit the preview")
    send.add_argument("--json", action="store_true", help="print JSON")
    send.epilog = f"The password comes from {PASSWORD_VARIABLE}, or is asked for."
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


class _Refused(Exception):
    """The service answered with a problem."""


def _import(args: argparse.Namespace) -> int:
    if not args.origin.startswith(("http://", "https://")):
        print("avarez: --origin must begin with http:// or https://", file=sys.stderr)
        return EXIT_WRONG_USE
    password = os.environ.get(PASSWORD_VARIABLE) or getpass.getpass()
    api = _Api(args.origin.rstrip("/"))
    try:
        api.sign_in(args.username, password)
        roll = api.call("POST", "/v1/rolls", {"municipality": args.municipality})
        _upload(roll["upload"], args.file)
        address = f"/v1/rolls/{roll['roll_id']}"
        roll = _preview(api, address)
        if roll["status"] == "previewed" and args.commit:
            roll = api.call("POST", f"{address}/commit", {})
    except _Refused as refused:
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


def _preview(api: _Api, address: str) -> dict[str, Any]:
    deadline = time.monotonic() + PREVIEW_TIMEOUT_S
    while time.monotonic() < deadline:
        roll = api.call("GET", address)
        if roll["status"] not in ("awaiting_upload", "checking"):
            return roll
        time.sleep(POLL_S)
    raise _Refused(f"the roll is not checked after {PREVIEW_TIMEOUT_S} s; ask {address} later")


class _Api:
    """The public API, as one account."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._token = ""

    def sign_in(self, username: str, password: str) -> None:
        credentials = {"username": username, "password": password}
        self._token = self.call("POST", "/v1/tokens", credentials)["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._origin + path, data=data, method=method, headers=headers
        )
        return dict(json.loads(_open(request, REQUEST_TIMEOUT_S)))


def _upload(upload: dict[str, Any], path: Path) -> None:
    with path.open("rb") as file:
        headers = {"content-type": "text/csv", "content-length": str(path.stat().st_size)}
        request = urllib.request.Request(  # noqa: S310 - the service's own address
            upload["url"], data=file, method="PUT", headers=headers
        )
        _open(request, UPLOAD_TIMEOUT_S)


def _open(request: urllib.request.Request, timeout_s: int) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise _Refused(f"{error.code} {_problem(error.read())}") from None
    except urllib.error.URLError as error:
        raise _Refused(f"no answer from {request.host}: {error.reason}") from None


def _problem(body: bytes) -> str:
    try:
        problem = json.loads(body)
        return f"{problem.get('code', '')}: {problem.get('detail', '')}"
    except (ValueError, AttributeError):
        return body[:200].decode("utf-8", "replace")


def _print(args: argparse.Namespace, result: Any, text: list[str]) -> None:
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    width = shutil.get_terminal_size((115, 24)).columns
    print("\n".join(line if line.strip().startswith("refused rows") else line[: max(width, 80)] for line in text))
