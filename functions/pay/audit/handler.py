"""HTTP: the trial balance of a city's days, and whether the invariants hold on one of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from avarez.clock import SystemClock, tehran_today, to_rfc3339
from avarez.dynamo import Table
from avarez.errors import FieldError, InvalidInput, MunicipalityUnknown
from avarez.http import Request, Response, Router, json_response
from avarez.jalali import format_jalali, parse_jalali
from avarez.money import format_rial
from avarez.municipalities import is_municipality
from avarez.settings import setting
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import CHECKED, Book, Broken, balances, check
from functions.pay.payments.joint.opening import NATIONAL

router = Router("pay-ledger")
clock = SystemClock()
DAYS_MAX: Final = 31
SHOWN_MAX: Final = 100


@functools.cache
def books() -> Books:
    """The process's books."""
    return Books(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))


@router.route("GET", "/v1/municipalities/{code}/trial-balance", scopes=["ledger.read"])
def trial_balance(request: Request) -> Response:
    """Debits, credits and balance of each account over the days asked for; at most a month."""
    code = _city(request)
    first, last = _day(request, "from_jalali"), _day(request, "to_jalali")
    if not first <= last < first + timedelta(days=DAYS_MAX):
        message = f"At most {DAYS_MAX} days, the first one first.", f"حداکثر {DAYS_MAX} روز، به ترتیب."
        raise InvalidInput(errors=[FieldError("/query/to_jalali", "period_invalid", *message)])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    entries = [entry for day in days for entry in books().entries(code, day.isoformat())]
    accounts = balances(entries)
    body = {
        "municipality": code,
        "from_jalali": format_jalali(first),
        "to_jalali": format_jalali(last),
        "entries": len(entries),
        "accounts": [
            {
                "account": account,
                "debit_rial": format_rial(debit_rial),
                "credit_rial": format_rial(credit_rial),
                "balance_rial": format_rial(debit_rial - credit_rial),
            }
            for account, (debit_rial, credit_rial) in accounts.items()
        ],
        "debit_rial": format_rial(sum(debit_rial for debit_rial, _ in accounts.values())),
        "credit_rial": format_rial(sum(credit_rial for _, credit_rial in accounts.values())),
    }
    return json_response(body)


@router.route("GET", "/v1/municipalities/{code}/invariants", scopes=["ledger.read"])
def invariants(request: Request) -> Response:
    """What does not hold of a day's journal and of what it records, read at this moment."""
    code = _city(request)
    day = _day(request, "day_jalali")
    now = clock.now()
    book, broken = checked(code, day.isoformat(), now)
    body = {
        "municipality": code,
        "day_jalali": format_jalali(day),
        "checked_at": to_rfc3339(now),
        "entries": len(book.entries),
        "invariants": {name: sum(one.invariant == name for one in broken) for name in CHECKED},
        "broken": [{"invariant": one.invariant, "of": one.of, "how": one.how} for one in broken[:SHOWN_MAX]],
    }
    return json_response(body)


def checked(municipality: str, day: str, now: datetime) -> tuple[Book, list[Broken]]:
    """The book, and what does not hold of it at two readings: something may change between two reads of one."""
    book = books().book(municipality, day, now)
    broken = check(book)
    if not broken:
        return book, []
    again = books().book(municipality, day, now)
    return again, [one for one in check(again) if one in broken]


def _city(request: Request) -> str:
    code = request.params["code"]
    if not (is_municipality(code) or code == NATIONAL) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    return code


def _day(request: Request, name: str) -> date:
    text = request.query.get(name, "")
    return parse_jalali(text, f"/query/{name}") if text else tehran_today(clock.now())


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
