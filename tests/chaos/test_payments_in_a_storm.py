"""Payments through the real use cases, stores and engine, with faults between them: none lost, none doubled.

`make prove` makes 10,000 of them. They run in this process, each step as its function runs it, since the engine's
API and its workers would take most of the time; `test_running_system.py` makes fewer, through the whole system.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from avarez import keys
from avarez.clock import SystemClock, next_tehran_midnight, tehran_today, to_rfc3339
from avarez.dynamo import transact
from avarez.errors import AvarezError
from avarez.http.principal import Principal
from avarez.ids import new_id
from avarez.journal import YearAmount
from functions.pay.payments.arrival import receive
from functions.pay.payments.opening import Asked, create
from tests.chaos.weather import Weather, lost_responses
from tests.system.conftest import Client
from tests.system.journey import FORM

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.system, pytest.mark.timeout(14_400 if PROVE else 300)]
PAYMENTS = 10_000 if PROVE else 40
LOST_MIN = 1_000 if PROVE else 5
CITY = "SHIRAZ"
AT_ONCE = 12
TRIES_MAX = 8
CLERK = Principal("clerk", "office", None, "of1", ("*",), frozenset())
T = TypeVar("T")


@dataclass
class Seen:
    """What the callers saw."""

    opened: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    given_up: int = 0


def test_no_payment_is_lost_or_doubled(weather: Weather, folder_of_results: Path) -> None:
    began = time.monotonic()
    seen = Seen()
    with weather.storm() as fired, ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_visit, weather, number, seen) for number in range(PAYMENTS)]:
            done.result()
    stormed_s = time.monotonic() - began
    weather.converge()
    ended = weather.assert_books_agree(CITY)
    assert seen.opened <= set(weather.payments(CITY))
    assert ended["settled"] >= 0.8 * PAYMENTS, ended
    assert set(ended) <= {"settled", "expired", "failed"}, "an honest gateway's money never stands in suspense"
    assert lost_responses(fired, "TransactWriteItems") >= LOST_MIN / 2, fired
    assert lost_responses(fired) >= LOST_MIN, fired
    assert set(seen.refused) <= {"service_busy", "gateway_unavailable"}, seen.refused
    if PROVE:
        told = {
            "payments": PAYMENTS,
            "requests": weather.proxy.requests(),
            "faults": sum(fired.values()),
            "lost_responses": lost_responses(fired),
            "by_fault": {" ".join(key): count for key, count in sorted(fired.items())},
            "refused": dict(seen.refused),
            "ended": dict(ended),
            "storm_s": round(stormed_s, 1),
            "whole_s": round(time.monotonic() - began, 1),
        }
        (folder_of_results / "chaos.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def _visit(weather: Weather, number: int, seen: Seen) -> None:
    """One payer: a quote, a page, the button, and the way back, which some never take and others take twice."""
    chance = random.Random(number)
    desk = weather.desk()
    asked = Asked((_quoted(weather, number, chance),), "gateway", "sandbox", "")
    opened = _again(lambda: create(desk, principal=CLERK, key=f"chaos-{number}", asked=asked), seen)
    if opened is None:
        seen.given_up += 1
        return
    seen.opened.add(opened.payment_id)
    pressed = Client("").post(opened.answer["redirect_url"], urlencode({"result": "paid"}), FORM)
    assert pressed.status == 303, pressed.text
    fields = dict(parse_qsl(urlsplit(pressed.headers["location"]).query))
    ways_back = 0 if chance.random() < 0.05 else 2 if chance.random() < 0.1 else 1
    for _ in range(ways_back):
        _again(lambda: receive(desk, gateway_name="sandbox", fields=fields), seen)


def _again(work: Callable[[], T], seen: Seen) -> T | None:
    """What comes of it at last; callers try again what may be tried again, and nothing else is excused."""
    for attempt in range(TRIES_MAX):
        try:
            return work()
        except AvarezError as refusal:
            assert refusal.retryable, refusal
            seen.refused[refusal.code] += 1
            time.sleep(0.02 * 2**attempt)
    return None


def _quoted(weather: Weather, number: int, chance: random.Random) -> str:
    """A quote of today as the assessments write it, past the proxy: what is tried here is the paying."""
    now = SystemClock().now()
    plate = f"{10 + number // 1_000:02d}B{number % 1_000:03d}-93"
    years = [YearAmount(year, chance.randrange(100_000, 9_000_000)) for year in range(1402, 1405)]
    owed_rial = sum(part.amount_rial for part in years)
    assessment_id = new_id("as", now)
    key = keys.assessment(CITY, plate, assessment_id)
    lines = [{"year": part.year, "kind": "principal", "amount_rial": str(part.amount_rial)} for part in years]
    item = {
        "assessment_id": assessment_id,
        "answer": json.dumps({"lines": lines}),
        "municipality": CITY,
        "plate": plate,
        "vehicle_id": new_id("ve", now),
        "as_of": tehran_today(now).isoformat(),
        "expires_at": to_rfc3339(next_tehran_midnight(now)),
        "years": [asdict(part) for part in years],
        "rounding_rial": -owed_rial % 1_000,
        "owed_rial": owed_rial + -owed_rial % 1_000,
        "trace_hash": "ab" * 32,
        "tariff_version": "cd" * 32,
    }
    place = {"target_pk": key[0], "target_sk": key[1], "municipality": CITY}
    writes = [weather.duty.put_new(key, item), weather.duty.put_new(keys.pointer(assessment_id), place)]
    transact(writes, dynamodb=weather.duty.dynamodb)
    return assessment_id
