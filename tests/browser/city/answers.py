"""Answers of the contract's shape for the city console's tests: one city, two officers, a day's work."""

from __future__ import annotations

import base64
import json
from typing import Any

from avarez.planning.budgets import Budget, Line, categories, document_of
from functions.identity.groups import GROUP_SCOPES
from tests.browser.city import figures
from tests.browser.demo_answers import ASSESSMENT_ID, PAYMENT_ID, PLATE, assessment, in_minutes, problem
from tests.browser.stub import Stub

HERE = "/v1/municipalities/TEHRAN"
DAY_MINUTES = 24 * 60


OBJECTION_ID = "ob_" + "0" * 36
VIEWS: dict[str, tuple[str, str]] = {
    "overview": ("#/overview", "#collected"),
    "closes": ("#/closes", "tr[data-close]"),
    "close": ("#/closes/st_" + "4" * 36, "tr[data-late]"),
    "onboarding": ("#/onboarding", "[data-approve]"),
    "account": ("#/onboarding/account", "[data-change]"),
    "address": ("#/onboarding/events", "#register-address"),
    "officers": ("#/onboarding/officers", "#invite-officer"),
    "emblem": ("#/onboarding/emblem", "#emblem-preview"),
    "contact": ("#/onboarding/contact", "#contact"),
    "health": ("#/health", "tr[data-attempt]"),
    "refunds": ("#/refunds", "[data-approve-refund]"),
    "objections": ("#/objections", "tr[data-objection]"),
    "objection": (f"#/objections/{OBJECTION_ID}", "#decision"),
    "receivables": ("#/receivables", "#ageing tbody tr"),
    "tariff": ("#/tariff", "tr[data-draft]"),
    "draft": (f"#/tariff/{figures.DRAFT_ID}", ".mark, .tariff-row"),
    "simulation": (f"#/tariff/{figures.SIMULATED_ID}", "#sum-difference"),
    "rolls": ("#/roll", "tr[data-roll]"),
    "roll": (f"#/roll/{figures.ROLL_ID}", "#commit"),
    "budget": ("#/budget/1405", "#plan-roads"),
}
"""Each section of the console, and each thing in it that has an address: where it is, and a sign of it."""
PICTURED = (
    "overview",
    "close",
    "onboarding",
    "health",
    "objection",
    "receivables",
    "draft",
    "simulation",
    "roll",
    "budget",
)
"""Those of which docs/images has a picture."""


def refund(number: int = 1, status: str = "requested", **members: Any) -> dict[str, Any]:
    """A refund that an office asked for."""
    return {
        "refund_id": "rf_" + str(number) * 36,
        "payment_id": PAYMENT_ID,
        "status": status,
        "municipality": "TEHRAN",
        "of": "payment",
        "plate": PLATE,
        "years": [{"year": 1403, "amount_rial": "2400000"}, {"year": 1404, "amount_rial": "2400000"}],
        "rounding_rial": "0",
        "fee_rial": "0",
        "amount_rial": "4800000",
        "gateway": "sandbox",
        "reference": "1234567890",
        "reason": "پرداخت دوباره",
        "requested_by": "clerk",
        "requested_at": in_minutes(-90),
        **members,
    }


def refunds(*found: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {"municipality": "TEHRAN", "refunds": list(found), "cursor": cursor}


def token(**claims: Any) -> str:
    """What looks like an access token to the page, which reads it and checks nothing."""
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"
    )


def officer_token(group: str = "municipality", **claims: Any) -> str:
    """An officer of Tehran's, with the scopes of her group."""
    return token(scope=" ".join(f"avarez/{scope}" for scope in GROUP_SCOPES[group]), **claims)


def change(number: int, subject: str, value: dict[str, str], *steps: tuple[str, str, float]) -> dict[str, Any]:
    """A guarded change whose steps are `(what, who, minutes from now)`."""
    told: dict[str, Any] = {
        "change_id": "ac_" + str(number) * 36,
        "municipality": "TEHRAN",
        "subject": subject,
        "status": steps[-1][0],
        "initial": False,
        "value": value,
        "steps": [{"what": what, "by": by, "at": in_minutes(at)} for what, by, at in steps],
    }
    told["steps"][0]["reason"] = "بانک تازه"
    if any(what == "approved" for what, _, _ in steps):
        told["in_force_from_at"] = in_minutes(3 * DAY_MINUTES)
    return told


ACCOUNT = {"iban": "IR560170140500000000000101", "holder": "شهرداری تهران"}
NEW_ACCOUNT = {"iban": "IR062960000000100324200001", "holder": "شهرداری تهران"}
PROPOSED = change(1, "account", NEW_ACCOUNT, ("proposed", "tehran2", -50))
COOLING = change(
    2, "webhook_secret", {"generation": "2"}, ("proposed", "tehran", -300), ("approved", "tehran2", -200)
)


def account(waiting: dict[str, Any] | None) -> dict[str, Any]:
    """The city's account, and the change of it that is open."""
    stands = {**ACCOUNT, "in_force_from_at": in_minutes(-300 * DAY_MINUTES), "change_id": "ac_" + "0" * 36}
    return {"municipality": "TEHRAN", "account": stands, "open": waiting, "history": []}


def endpoint(**members: Any) -> dict[str, Any]:
    """An endpoint that has everything but the last two events."""
    return {
        "municipality": "TEHRAN",
        "url": "https://events.tehran.example/avarez/hook",
        "candidate_url": None,
        "candidate_proved": False,
        "next_url": None,
        "next_url_from_at": None,
        "status": "active",
        "secret_generation": 1,
        "next_secret_generation": None,
        "next_secret_from_at": None,
        "secret_overlap_until_at": None,
        "delivered_sequence": 1203,
        "failures": 3,
        "failing_since_at": in_minutes(-90),
        "next_try_at": in_minutes(4),
        "registered_at": in_minutes(-90 * DAY_MINUTES),
        "head": 1205,
        **members,
    }


def attempts() -> list[dict[str, Any]]:
    """Four sendings: one that failed twice, a test, and one that was taken."""
    told = (
        (-26, 1204, None, "timed_out", 30_000, ""),
        (-55, 1204, 503, None, 212, "<html>Service Unavailable</html>"),
        (-80, 0, 200, None, 48, ""),
        (-92, 1203, 200, None, 51, ""),
    )
    return [
        {
            "at": in_minutes(minutes),
            "event_id": f"ev_{number:036d}",
            "sequence": sequence,
            "status": status,
            "failure": failure,
            "elapsed_ms": elapsed_ms,
            "address": "203.0.113.20",
            "answer": answer,
        }
        for number, (minutes, sequence, status, failure, elapsed_ms, answer) in enumerate(told)
    ]


VEHICLE = {
    "vehicle_class": "passenger",
    "origin": "domestic",
    "fuel": "petrol",
    "model_year": 1394,
    "model_calendar": "jalali",
    "make": "ایران‌خودرو",
    "model": "سمند LX",
    "base_price_rial": "2400000000",
    "cylinders": 4,
}
"""The facts of the disputed quote."""


def objection(status: str = "open", **members: Any) -> dict[str, Any]:
    """An objection that is due in three days."""
    return {
        "objection_id": OBJECTION_ID,
        "assessment_id": ASSESSMENT_ID,
        "municipality": "TEHRAN",
        "plate": PLATE["key"],
        "years": [1404, 1405],
        "reason": "wrong_price",
        "text": "قیمت کارخانه ۲ میلیارد ریال است، نه ۲٫۴ میلیارد.",
        "evidence": [{"kind": "document", "reference": "سند فروش ۱۲۳۴"}],
        "status": status,
        "level": 0,
        "owed_rial": "18692000",
        "created_by": "clerk",
        "created_at": in_minutes(-27 * DAY_MINUTES),
        "due_at": in_minutes(3 * DAY_MINUTES + 5),
        "events": [{"at": in_minutes(-27 * DAY_MINUTES), "by": "clerk", "did": "filed"}],
        **members,
    }


def onboarding() -> dict[str, Any]:
    """Everything is set up but the emblem and the roll."""
    missing = {"emblem", "roll"}
    steps = ("account", "officers", "events", "tariff", "roll", "emblem", "contact")
    return {
        "municipality": "TEHRAN",
        "name_fa": "تهران",
        "name_en": "Tehran",
        "ready": False,
        "steps": [
            {
                "what": what,
                "done": what not in missing,
                "required": what != "emblem",
                "text_en": f"English sentence about {what}.",
                "text_fa": "جمله‌ای دربارهٔ این گام.",
            }
            for what in steps
        ],
        "officers": [
            {
                "username": "tehran",
                "name": "زهرا احمدی",
                "role": "head",
                "since_at": in_minutes(-200 * DAY_MINUTES),
            },
            {
                "username": "tehran2",
                "name": "رضا کریمی",
                "role": "officer",
                "since_at": in_minutes(-20 * DAY_MINUTES),
            },
        ],
        "contact": {
            "name": "زهرا احمدی",
            "phone": "02188001122",
            "email": "daramad@tehran.example",
            "address": "تهران، خیابان بهشت، ساختمان شهرداری",
            "postal_code": "1114943361",
        },
    }


BALANCE = {
    "municipality": "TEHRAN",
    "from_jalali": "1405-09-06",
    "to_jalali": "1405-09-06",
    "entries": 412,
    "accounts": [
        {
            "account": "clearing:saman:TEHRAN",
            "debit_rial": "9876543000",
            "credit_rial": "0",
            "balance_rial": "9876543000",
        },
        {
            "account": "municipality_payable:TEHRAN",
            "debit_rial": "28692000",
            "credit_rial": "9876500000",
            "balance_rial": "-9847808000",
        },
        {
            "account": "municipality_rounding:TEHRAN",
            "debit_rial": "0",
            "credit_rial": "43000",
            "balance_rial": "-43000",
        },
        {
            "account": "municipality_transfer:TEHRAN",
            "debit_rial": "0",
            "credit_rial": "10000000",
            "balance_rial": "-10000000",
        },
    ],
    "debit_rial": "9905235000",
    "credit_rial": "9905235000",
}


def close(number: int, status: str = "matched", **members: Any) -> dict[str, Any]:
    """A close of a collecting city whose kinds of lines add up from opening to closing balance."""
    transfer = None
    if status != "nothing_due":
        transfer = {
            "reference": f"TEHRAN-{number}",
            "amount_rial": "54213500000",
            "status": status,
            "left_rial": "54213500000" if status in ("matched", "differs") else "0",
            "arrived_rial": {"matched": "54213500000", "differs": "54200000000"}.get(status, "0"),
            "iban": ACCOUNT["iban"],
            "batch_id": "tb_" + "0" * 36,
            "sent_at": in_minutes(-600),
        }
    return {
        "settlement_id": "st_" + str(number) * 36,
        "municipality": "TEHRAN",
        "number": number,
        "day": f"2026-11-{20 + number}",
        "day_jalali": f"1405-08-{29 + number}" if number < 2 else f"1405-09-0{number - 1}",
        "cutoff_at": f"2026-11-{20 + number}T20:30:00.000Z",
        "early": False,
        "from_sequence": 801,
        "to_sequence": 1203,
        "after_hash": "a" * 64,
        "first_hash": "b" * 64,
        "last_hash": "c" * 64,
        "opening_rial": "48900000000",
        "closing_rial": "54213500000",
        "direct_rial": "0",
        "lines": 403,
        "late": {"lines": 1, "city_rial": "2640000"} if number == 4 else {"lines": 0, "city_rial": "0"},
        "sums": {
            "payment": summed(398, 54_336_000_000, 1_990_000, 77_000, 54_334_010_000),
            "refund": summed(3, -118_692_000, 0, 0, -118_692_000),
            "correction": summed(1, 0, 0, 0, -1_818_000),
            "transfer": summed(1, 0, 0, 0, -48_900_000_000),
        },
        "direct_days": [],
        "manifest_hash": "d" * 64,
        "closed_at": f"2026-11-{20 + number}T20:45:02.000Z",
        "closed_by": "schedule",
        "transfer_rial": "54213500000" if transfer else "0",
        "status": status,
        "transfer": transfer,
        "direct": [],
        **members,
    }


def summed(count: int, paid: int, fee: int, rounding: int, city: int) -> dict[str, Any]:
    amounts = {"paid_rial": paid, "fee_rial": fee, "rounding_rial": rounding, "city_rial": city}
    return {"count": count, **{name: str(rial) for name, rial in amounts.items()}}


def line(sequence: int, **members: Any) -> dict[str, Any]:
    """A line of a statement."""
    return {
        "sequence": sequence,
        "kind": "payment",
        "day_jalali": "1405-09-03",
        "late": False,
        "plate": PLATE["key"],
        "reference": "SB-240311-77",
        "city_rial": "2640000",
        **members,
    }


def load_closes(stub: Stub) -> None:
    """Four closes: one not paid on yet, one that the bank contradicts, two others; the newest has a late line."""
    closes = [close(4, "matched"), close(3, "differs"), close(2, "sent")]
    path = f"{HERE}/settlements"
    stub.answers |= {
        f"GET {path}": (
            200,
            {"municipality": "TEHRAN", "settlements": closes, "cursor": closes[-1]["settlement_id"]},
        ),
        f"GET {path}?cursor={closes[-1]['settlement_id']}": (
            200,
            {"municipality": "TEHRAN", "settlements": [close(1, "nothing_due")], "cursor": None},
        ),
        **{f"GET {path}/{one['settlement_id']}": (200, one) for one in closes},
        **{
            f"GET {path}/{one['settlement_id']}/statement.json": (
                200,
                {**one, "part": 1, "parts": 1, "statement": [line(900, late=True), line(901)]},
            )
            for one in closes
        },
        f"GET {HERE}/events/files": (
            200,
            {"municipality": "TEHRAN", "days": [event_files("2026-11-24")], "cursor": None},
        ),
    }


def event_files(day: str) -> dict[str, Any]:
    """A day's signed files."""
    name = f"TEHRAN-{day}"
    files = [
        {
            "name": f"{name}-001.{kind}",
            "events": 403,
            "size_bytes": 90_000,
            "sha256": "e" * 64,
            "url": f"/v1/file.{kind}",
        }
        for kind in ("csv", "jsonl")
    ]
    manifest = {"name": f"{name}.jws", "sha256": "f" * 64, "url": "/v1/file.jws"}
    return {
        "day": day,
        "sequence_from": 801,
        "sequence_to": 1203,
        "late": 1,
        "made_at": in_minutes(-300),
        "manifest": manifest,
        "files": files,
    }


def budget(version: int) -> dict[str, Any]:
    """A plan of one category, in so many versions."""
    line = Line("roads", 3_100_000_000, "آسفالت", "Paving")
    document = document_of(
        Budget("TEHRAN", 1405, (line,)), version=version, previous="", published_at="2026-05-01T08:00:00.000Z"
    )
    files = {form: f"/v1/open/files/{form}" for form in ("csv", "json", "parquet")}
    versions = [
        {"version": number + 1, "published_at": document["published_at"], "by": "tehran", "files": files}
        for number in range(version)
    ]
    told = {"municipality": "TEHRAN", "year": 1405, "version": version, "budget": document, "versions": versions}
    return {**told, "categories": [category.told() for category in categories().values()]}


def load(stub: Stub) -> None:
    """The stub knows two officers of Tehran, a clerk, and what the day's overview asks."""
    tokens = {
        "tehran": officer_token(username="tehran", municipality="TEHRAN"),
        "tehran2": officer_token(username="tehran2", municipality="TEHRAN"),
        "clerk": officer_token("office", username="clerk"),
    }
    stub.answers |= {
        "POST /v1/tokens": lambda body: (
            (200, {"access_token": tokens[body["username"]], "id_token": "id", "expires_in": 3600})
            if body.get("password") == "right"
            else problem(401, "credentials_refused")
        ),
        f"GET {HERE}/trial-balance": (200, BALANCE),
        f"GET {HERE}/webhook": (200, endpoint()),
        f"GET {HERE}/webhook/attempts": (200, {"municipality": "TEHRAN", "attempts": attempts()}),
        f"GET {HERE}/changes": (200, {"municipality": "TEHRAN", "changes": [PROPOSED, COOLING]}),
        f"GET {HERE}/onboarding": (200, onboarding()),
        f"GET {HERE}/account": (200, account(PROPOSED)),
        f"GET {HERE}/budgets/1405": (200, budget(1)),
        f"GET {HERE}/refunds": (200, refunds(refund())),
        "GET /v1/objections": (200, {"municipality": "TEHRAN", "objections": [objection()]}),
    }
    stub.answers |= {
        f"GET /v1/objections/{OBJECTION_ID}": (200, objection()),
        f"GET /v1/assessments/{ASSESSMENT_ID}": (200, {**assessment(), "vehicle": VEHICLE}),
    }
    load_closes(stub)
    figures.load_figures(stub)
