"""Money is never taken twice and never lost, over the running stack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.conftest import System
from tests.system.journey import (
    assess,
    certificate,
    fetch_pdf,
    follow_callback,
    pay,
    press,
    settled,
    start_payment,
)
from tests.system.ledger import balances, journal_entries
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ROUNDS = 6
CLERKS_AT_ONCE = 8
SWEEP_BOUND_S = 120


def test_two_clerks_in_the_same_second_have_one_winner(system: System) -> None:
    clerks = [system.client("clerk"), system.client("clerk2")]
    for _ in range(ROUNDS):
        plate = fresh_plate()
        turns = [(clerk, assess(clerk, plate)) for clerk in clerks] * (CLERKS_AT_ONCE // len(clerks))
        with ThreadPoolExecutor(CLERKS_AT_ONCE) as pool:
            answers = list(pool.map(lambda turn: start_payment(*turn), turns))
        winners = [answer for answer in answers if answer.status == 201]
        losers = [answer for answer in answers if answer.status != 201]
        assert len(winners) == 1, [answer.text for answer in answers]
        assert {answer.status for answer in losers} == {409}
        assert {answer.json["code"] for answer in losers} <= {"duty_locked", "duty_paid"}
        anyone = system.client(None)
        follow_callback(anyone, press(anyone, winners[0].json))
        done = settled(system, clerks[0], winners[0].json["payment_id"])
        assert len(journal_entries(system, done["payment_id"])) == 1


def test_callback_delivered_three_times_settles_once(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    location = press(anyone, payment)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: follow_callback(anyone, location), range(3)))
    assert {answer.status for answer in answers} <= {200, 303}
    done = settled(system, clerk, payment["payment_id"])
    follow_callback(anyone, location)
    entries = journal_entries(system, payment["payment_id"])
    assert len(entries) == 1
    assert balances(entries)["debit_rial"] == balances(entries)["credit_rial"] == int(done["amount_rial"])
    assert clerk.get(f"/v1/payments/{payment['payment_id']}").json["certificate_id"] == done["certificate_id"]


def test_callback_that_never_comes_is_resolved_by_the_sweep(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    press(anyone, payment)  # the money is taken; the browser closes before our callback
    done = settled(system, clerk, payment["payment_id"], timeout_s=SWEEP_BOUND_S)
    assert len(journal_entries(system, done["payment_id"])) == 1


def test_killed_between_ledger_and_certificate_the_certificate_comes_after_the_restart(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    location = press(anyone, payment)
    system.pause_certificates()
    try:
        follow_callback(anyone, location)
        done = settled(system, clerk, payment["payment_id"])
        waiting = clerk.get(f"/v1/certificates/{done['certificate_id']}").json
        assert waiting["status"] == "preparing"
        assert anyone.get(f"/v1/verify/{done['certificate_id']}").json["verdict"] == "cannot_tell"
        system.crash()
    finally:
        system.resume_certificates()
    record = certificate(system, system.client("clerk"), done["certificate_id"], SWEEP_BOUND_S)
    assert record["certificate_id"] == done["certificate_id"]


def test_certificate_comes_at_once_after_a_clean_restart(system: System) -> None:
    pay(system, system.client("clerk"), fresh_plate())
    system.restart()
    clerk = system.client("clerk")
    paid = pay(system, clerk, fresh_plate())
    assert fetch_pdf(clerk, system.client(None), paid.certificate_id).startswith(b"%PDF-"), (
        "the stream woke the issuer"
    )


def test_forged_callbacks_change_nothing(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    payment_id = payment["payment_id"]
    forged: list[str] = [
        "/v1/callbacks/sandbox",
        f"/v1/callbacks/sandbox?order_id={payment_id}&status=paid&reference=1&amount=1&token=x",
        f"/v1/callbacks/sandbox?order_id={payment_id}&state=OK&reference=../../x&amount=1e400&token=%00",
        "/v1/callbacks/nowhere?order_id=x",
    ]
    for address in forged:
        assert anyone.get(address).status in (200, 303, 404)
    state: dict[str, Any] = clerk.get(f"/v1/payments/{payment_id}").json
    assert state["status"] == "pending"
    follow_callback(anyone, press(anyone, payment))
    settled(system, clerk, payment_id)
