"""The running system with faults between its functions and the engine: every answer explained, no rial lost."""

from __future__ import annotations

import itertools
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from demo.plates import MUNICIPALITY, owing_plates
from tests.chaos.weather import Weather
from tests.system.conftest import Answer, Client
from tests.system.journey import FORM, fetch_pdf

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(14_400),
    pytest.mark.skipif(not PROVE, reason="takes minutes of a quiet machine: make prove"),
]
PAYMENTS = 1_000
AT_ONCE = 6
TRIES_MAX = 8
EXPLAINED = {"service_busy", "gateway_unavailable", "outcome_unknown"}
"""Codes of a 503: each says that nothing is lost and that the same call may be made again."""


def test_every_answer_is_explained_and_the_books_agree(weather: Weather) -> None:
    clerk, anyone = weather.system.client("clerk"), weather.system.client(None)
    answers: Counter[tuple[str, int, str]] = Counter()
    plates = list(itertools.islice(owing_plates(), PAYMENTS))
    with weather.storm() as fired, ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_visit, clerk, anyone, plate, answers) for plate in plates]:
            done.result()
    assert sum(fired.values()) > len(plates), fired
    assert {service for service, _, _ in fired} >= {"dynamodb", "sqs"}, fired
    unexplained = {key: count for key, count in answers.items() if key[1] >= 500 and key[2] not in EXPLAINED}
    assert unexplained == {}
    weather.converge()
    ended = weather.assert_books_agree(MUNICIPALITY)
    assert ended["settled"] >= 0.8 * len(plates), (ended, answers)
    assert set(ended) <= {"settled", "expired", "failed"}
    told = weather.system.client("auditor").get(f"/v1/municipalities/{MUNICIPALITY}/invariants")
    assert told.status == 200, told.text
    assert set(told.json["invariants"].values()) == {0}, told.text
    settled = next(of for of in weather.payments(MUNICIPALITY).values() if of.certificate_id)
    assert fetch_pdf(clerk, anyone, settled.certificate_id).startswith(b"%PDF-")


def _visit(clerk: Client, anyone: Client, plate: str, answers: Counter[tuple[str, int, str]]) -> None:
    """One payer at an office; the clerk's page and the payer's browser try again what may be tried again."""
    chance = random.Random(plate)
    key = {"idempotency-key": uuid.uuid4().hex}
    asked = {"municipality": MUNICIPALITY, "plate": plate}
    quote = _again("assess", answers, lambda: clerk.post("/v1/assessments", asked))
    if quote is None:
        return
    wish = {"assessment_id": quote["assessment_id"], "channel": "gateway"}
    payment = _again("pay", answers, lambda: clerk.post("/v1/payments", wish, key))
    if payment is None:
        return
    pressed = anyone.post(payment["redirect_url"], urlencode({"result": "paid"}), FORM)
    assert pressed.status == 303, pressed.text
    if chance.random() < 0.1:
        return  # the browser closes; the sweep finds the money
    back = anyone.get(pressed.headers["location"])
    answers["callback", back.status, ""] += 1
    assert back.status in (200, 303), back.text


def _again(name: str, answers: Counter[tuple[str, int, str]], call: Callable[[], Answer]) -> dict[str, Any] | None:
    """The answer's body at last; None when even the last try was refused with a reason that we know."""
    for attempt in range(TRIES_MAX):
        answer = call()
        code = "" if answer.status < 400 else str(answer.json.get("code", answer.text[:80]))
        answers[name, answer.status, code] += 1
        if answer.status < 400:
            body: dict[str, Any] = answer.json
            return body
        assert answer.status == 503, answer.text
        assert "retry-after" in answer.headers, answer.text
        time.sleep(0.1 * 2**attempt)
    return None
