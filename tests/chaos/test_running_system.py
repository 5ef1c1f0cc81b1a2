"""The running system with faults between its functions and the engine: every answer explained, no rial lost."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from avarez.dynamo import Table
from avarez.events.chain import Event, faults
from avarez.events.log import EventLog
from avarez.plates import parse_plate
from demo.plates import MUNICIPALITY, owing_plates
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.chaos.weather import Weather, lost_responses
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
ANNOUNCED = {"payment.settled": ("payment", "payment_id"), "certificate.issued": ("certificate", "certificate_id")}
"""What a city is told of a payment, and where each event names it."""
ANNOUNCED_WITHIN_S, POLL_S = 300.0, 1.0


@dataclass
class Seen:
    """What the callers saw: answers by step, status and code; payments told of; those paid at the gateway."""

    answers: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    opened: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)


def test_every_answer_is_explained_and_the_books_agree(weather: Weather, folder_of_results: Path) -> None:
    began, seen = time.monotonic(), Seen()
    answers = seen.answers
    clerk, anyone = weather.system.client("clerk"), weather.system.client(None)
    plates = list(itertools.islice(owing_plates(), PAYMENTS))
    with weather.storm() as fired, ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_visit, clerk, anyone, plate, seen) for plate in plates]:
            done.result()
    stormed_s = time.monotonic() - began
    assert sum(fired.values()) > len(plates), fired
    assert {service for service, _, _ in fired} >= {"dynamodb", "sqs"}, fired
    unexplained = {key: count for key, count in answers.items() if key[1] >= 500 and key[2] not in EXPLAINED}
    assert unexplained == {}
    weather.converge()
    converged_s = time.monotonic() - began - stormed_s
    ended = weather.assert_books_agree(MUNICIPALITY)
    assert ended["settled"] >= 0.8 * len(plates), (ended, answers)
    assert set(ended) <= {"settled", "expired", "failed"}
    payments = weather.payments(MUNICIPALITY)
    assert {name: payments[name].plate for name in seen.opened} == seen.opened, "what was told is there"
    settled = [of for of in payments.values() if of.status is Status.SETTLED]
    assert len({of.plate for of in settled}) == len(settled), "one duty, one payment"
    told = weather.system.client("auditor").get(f"/v1/municipalities/{MUNICIPALITY}/invariants")
    assert told.status == 200, told.text
    assert set(told.json["invariants"].values()) == {0}, told.text
    events = _announced(weather, settled)
    assert fetch_pdf(clerk, anyone, settled[-1].certificate_id).startswith(b"%PDF-")
    document = {
        "payments": PAYMENTS,
        "requests": weather.proxy.requests(),
        "faults": sum(fired.values()),
        "lost_responses": lost_responses(fired),
        "lost_responses_of_money": lost_responses(fired, "TransactWriteItems"),
        "by_fault": {" ".join(key): count for key, count in sorted(fired.items())},
        "answers": {f"{name} {status} {code}".strip(): n for (name, status, code), n in sorted(answers.items())},
        "told_a_payment": len(seen.opened),
        "paid_at_the_gateway": len(seen.paid),
        "paid_and_not_settled": sorted(seen.paid - {of.payment_id for of in settled}),
        "payments_there": len(payments),
        "ended": dict(ended),
        "events": events,
        "settled_rial": str(sum(of.amount_rial for of in settled)),
        "storm_s": round(stormed_s, 1),
        "converged_s": round(converged_s, 1),
    }
    (folder_of_results / "running_system.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _announced(weather: Weather, settled: Sequence[Payment]) -> int:
    """The city's chain is whole, and tells of each settled payment and of its certificate, once; its length."""
    log = EventLog(Table(weather.system.outputs["LedgerTableName"], weather.system.aws("dynamodb")))
    payments = Counter(("payment.settled", of.payment_id) for of in settled)
    certificates = Counter(("certificate.issued", str(of.certificate_id)) for of in settled)
    deadline = time.monotonic() + ANNOUNCED_WITHIN_S
    while True:
        chain: list[Event] = []
        while page := log.read(MUNICIPALITY, after=len(chain)):
            chain += page
        assert next(faults(MUNICIPALITY, chain), None) is None
        told = Counter(_told(event.data) for event in chain if event.data["type"] in ANNOUNCED)
        if told == payments + certificates:
            return len(chain)
        assert time.monotonic() < deadline, (payments + certificates - told, told - payments - certificates)
        time.sleep(POLL_S)


def _told(event: Mapping[str, Any]) -> tuple[str, str]:
    of, name = ANNOUNCED[event["type"]]
    return event["type"], event[of][name]


def _visit(clerk: Client, anyone: Client, plate: str, seen: Seen) -> None:
    """One payer at an office; the clerk's page and the payer's browser try again what may be tried again."""
    chance, answers = random.Random(plate), seen.answers
    key = {"idempotency-key": uuid.uuid4().hex}
    asked = {"municipality": MUNICIPALITY, "plate": plate}
    quote = _again("assess", answers, lambda: clerk.post("/v1/assessments", asked))
    if quote is None:
        return
    wish = {"assessment_id": quote["assessment_id"], "channel": "gateway"}
    payment = _again("pay", answers, lambda: clerk.post("/v1/payments", wish, key))
    if payment is None:
        return
    seen.opened[payment["payment_id"]] = parse_plate(plate).key
    pressed = anyone.post(payment["redirect_url"], urlencode({"result": "paid"}), FORM)
    assert pressed.status == 303, pressed.text
    seen.paid.add(payment["payment_id"])
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
