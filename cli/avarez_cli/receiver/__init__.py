"""`avarez receiver serve|pull|books`: a city's own end of the wire, small and whole.

`serve` takes signed messages on 127.0.0.1, behind the city's own proxy with its certificate; with an account it
fetches what is missing by itself. `pull` fetches once, for a city without an endpoint. `books` looks at what was
built: the chain from its first event, the gaps, the trial balance, and with an account whether the system's is the
same. Everything lies in one SQLite file, and is on the disk before a message is answered.

Exit codes: 0 good; 1 something is missing, contradicts or differs; 2 wrong use, or the service cannot be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from avarez.clock import SystemClock
from avarez.errors import InvalidInput
from avarez.jalali import format_jalali, parse_jalali
from avarez_cli import api
from avarez_cli.receiver.books import Account, Books, WrongBooks
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.recovering import Broken, Pull, Recoverer, recover
from avarez_cli.receiver.taking import Receiver

WRONG_USE: Final = 2
POLL_S: Final = 60.0
DAYS_MAX: Final = 31
"""The service tells the trial balance of as many days at a time."""


def register(subparsers: Any) -> None:
    """Adds `receiver` with its three tasks."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "receiver", help="receive a city's events and keep its books", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    serve = tasks.add_parser("serve", help="take messages, and fetch what is missing")
    serve.add_argument("--secret", type=Path, required=True, help="a file with whsec_…, one a line in a rotation")
    serve.add_argument("--port", type=int, default=9000)
    serve.add_argument("--every", type=float, default=POLL_S, metavar="SECONDS", help="fetch so often, besides")
    serve.set_defaults(run=_over(run_serve))
    pull = tasks.add_parser("pull", help="fetch whatever is not in the books yet")
    pull.set_defaults(run=_over(run_pull))
    books = tasks.add_parser("books", help="prove the chain, show the trial balance, compare it with the system's")
    books.add_argument("--from", dest="first", default="", metavar="DATE", help="Jalali")
    books.add_argument("--to", dest="last", default="", metavar="DATE", help="Jalali")
    books.set_defaults(run=_over(run_books))
    for task in (serve, pull, books):
        task.add_argument("--books", type=Path, required=True, metavar="FILE", help="the city's books (SQLite)")
        task.add_argument("--municipality", required=True, metavar="CODE")
        task.add_argument("--json", action="store_true", help="print JSON")
        api.add_arguments(task, required=task is pull)


def run_serve(arguments: argparse.Namespace, books: Books) -> int:
    """Serves until it is stopped."""
    clock = SystemClock()

    def secrets() -> list[str]:
        return list(arguments.secret.read_text(encoding="ascii").split())

    if not secrets():
        return _wrong_use(f"{arguments.secret} holds no secret")
    recoverer = None
    if arguments.origin:
        pull = Pull(arguments.origin, arguments.username, arguments.municipality)
        recoverer = Recoverer(books, pull, clock.now, _tell, arguments.every)
        recoverer.start()
    incomplete = (
        recoverer.wake if recoverer else lambda: _tell("events are missing: use `pull`, or ask for a replay")
    )
    receiver = Receiver(books, secrets, clock.now, incomplete)
    with Listening(arguments.port, lambda path: receiver) as listening:
        _tell(f"receiving for {arguments.municipality} on http://127.0.0.1:{listening.port}/")
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            if recoverer:
                recoverer.stop()
    return 0


def run_pull(arguments: argparse.Namespace, books: Books) -> int:
    """Fetches what is missing, and says how far the books are."""
    pull = Pull(arguments.origin, arguments.username, arguments.municipality)
    try:
        placed = recover(books, pull, SystemClock().now)
    except api.Refused as refusal:
        return _wrong_use(str(refusal))
    except Broken as broken:
        print(f"avarez receiver: {broken}", file=sys.stderr)
        return 1
    head = books.head()
    told = {"placed": placed, "sequence": head.sequence, "hash": head.hash}
    print(json.dumps(told) if arguments.json else f"{placed} events fetched, to {head.sequence} {head.hash}")
    return 0


def run_books(arguments: argparse.Namespace, books: Books) -> int:
    """Prints what the books hold; 1 when they are not whole, or not the system's."""
    try:
        first, last = _period(arguments, books)
        ours = books.trial_balance(first.isoformat(), last.isoformat())
        differences = _compared(arguments, first, last, ours, books) if arguments.origin else None
    except InvalidInput as error:
        return _wrong_use(error.errors[0].message_en if error.errors else str(error))
    except api.Refused as refusal:
        return _wrong_use(str(refusal))
    head = books.head()
    told = {
        "municipality": arguments.municipality,
        "sequence": head.sequence,
        "hash": head.hash,
        "faults": [{"sequence": sequence, "what": what} for sequence, what in books.faults()],
        "contradictions": [{"sequence": sequence, "what": what} for sequence, what in books.contradictions()],
        "missing": [{"first": gap.first, "last": gap.last} for gap in books.gaps(only_open=True)],
        "from_jalali": format_jalali(first),
        "to_jalali": format_jalali(last),
        "accounts": [
            {"account": row.account, "debit_rial": str(row.debit_rial), "credit_rial": str(row.credit_rial)}
            for row in ours
        ],
        "differences": differences,
    }
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print_books(told)
    whole = not (told["faults"] or told["contradictions"] or told["missing"] or differences)
    return 0 if whole else 1


def _over(task: Callable[[argparse.Namespace, Books], int]) -> Callable[[argparse.Namespace], int]:
    """The task, over the city's books."""

    def run(arguments: argparse.Namespace) -> int:
        if arguments.origin and not (api.is_origin(arguments.origin) and arguments.username):
            return _wrong_use("--origin is an address such as https://avarez.example, and takes --username")
        try:
            books = Books(arguments.books, arguments.municipality)
        except WrongBooks as wrong:
            return _wrong_use(str(wrong))
        try:
            return task(arguments, books)
        finally:
            books.close()

    return run


def _period(arguments: argparse.Namespace, books: Books) -> tuple[date, date]:
    """The days asked for; unless given, from the first to the last on which something was booked."""
    days = books.days() or [SystemClock().now().date().isoformat()]
    first = parse_jalali(arguments.first, "--from") if arguments.first else date.fromisoformat(days[0])
    return first, parse_jalali(arguments.last, "--to") if arguments.last else date.fromisoformat(days[-1])


def _compared(
    arguments: argparse.Namespace, first: date, last: date, ours: list[Account], books: Books
) -> list[dict[str, str]]:
    """The accounts on which the system's trial balance of these days is another one than ours."""
    client = api.Api.signed_in(arguments.origin, arguments.username)
    theirs: dict[str, tuple[int, int]] = {}
    day = first
    while day <= last:
        until = min(day + timedelta(days=DAYS_MAX - 1), last)
        asked = urlencode({"from_jalali": format_jalali(day), "to_jalali": format_jalali(until)})
        told = client.call("GET", f"/v1/municipalities/{arguments.municipality}/trial-balance?{asked}")
        for row in told["accounts"]:
            debit_rial, credit_rial = theirs.get(row["account"], (0, 0))
            added = debit_rial + int(row["debit_rial"]), credit_rial + int(row["credit_rial"])
            theirs[row["account"]] = added
        day = until + timedelta(days=1)
    mine = {row.account: (row.debit_rial, row.credit_rial) for row in ours}
    return [
        {"account": account, "ours": _sides(mine.get(account)), "theirs": _sides(theirs.get(account))}
        for account in sorted(mine.keys() | theirs.keys())
        if mine.get(account) != theirs.get(account)
    ]


def _sides(sides: tuple[int, int] | None) -> str:
    return "nothing" if sides is None else f"{sides[0]} / {sides[1]}"


def _print_books(told: dict[str, Any]) -> None:
    print(f"{told['municipality']}  event {told['sequence']}  {told['hash']}")
    for row in told["faults"]:
        print(f"  نادرست | WRONG: event {row['sequence']} {row['what']}")
    for row in told["contradictions"]:
        print(f"  رد شد | REFUSED: an event {row['sequence']} that {row['what']}")
    for gap in told["missing"]:
        print(f"  نرسیده | MISSING: events {gap['first']} to {gap['last']}")
    print(f"{told['from_jalali']} – {told['to_jalali']}")
    for row in told["accounts"]:
        print(f"{row['account']:44}{int(row['debit_rial']):>22,}{int(row['credit_rial']):>22,}")
    if told["differences"] is not None:
        for row in told["differences"]:
            print(f"  ناهمخوان | DIFFERS: {row['account']}: ours {row['ours']}, the system's {row['theirs']}")
        if not told["differences"]:
            print("  با تراز سامانه یکی است | the system's trial balance is the same")


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _wrong_use(words: str) -> int:
    _tell(f"avarez receiver: {words}")
    return WRONG_USE
