"""Scenarios 9 to 11: amounts that were tampered with, units that were mixed up, references that come twice."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.errors import ReferenceReused
from avarez.journal import YearAmount
from functions.pay.gateways.port import from_units, to_units
from functions.pay.gateways.registry import ADAPTERS, adapter
from functions.pay.payments import terminals
from functions.pay.payments.opening import Asked
from functions.pay.payments.terminals import Slip
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.terminals import Terminal
from infra.local.gateways.simulators.credentials import credentials
from infra.resources.alarms import BUSINESS_METRICS
from tests.scenarios.emulated import EngineTables
from tests.scenarios.test_crashes_and_lost_answers import opened
from tests.system.conftest import System
from tests.system.journey import assess, press, settled, start_payment
from tests.system.ledger import journal_entries
from tests.system.plates import fresh_plate
from tests.unit.payments.payments_fake import CLERK, quote, world
from tests.unit.payments.payments_steps import callback, now_of, occurrences, open_one

TAMPERED = [
    "1234999",
    "1235001",
    "12350000",
    "-1235000",
    "0",
    "1e400",
    "1e3",
    "۱۲۳۵۰۰۰",
    "1235000.0",
    " 1235000",
    "",
]


# --- 9: the amount is tampered with ---------------------------------------------------------------------


@pytest.mark.parametrize("amount", TAMPERED)
def test_scenario_09_amount_tampered_in_the_callback_goes_to_suspense_and_never_to_a_certificate(
    amount: str,
) -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    after = callback(w, payment, amount=amount)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert w.store.certificates == {}
    assert w.store.duties == {}
    assert [p.account for p in w.store.journal[0].postings] == ["gateway_clearing:sandbox", "suspense"]
    assert {"amount_mismatch", "suspense"} <= set(w.reports)
    assert {"amount_mismatch", "payment_suspense"} <= set(BUSINESS_METRICS)  # alarms


@pytest.mark.parametrize("difference_rial", [-1, 1, 10, 1_235_000 * 9])
def test_scenario_09_verify_is_asked_with_our_own_amount_and_another_one_is_never_confirmed(
    difference_rial: int,
) -> None:
    w = world()
    payment = open_one(w)
    w.gateway.slips[payment.token].amount_rial += difference_rial
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert w.store.certificates == {}
    assert w.store.journal == []  # the gateway has confirmed nothing: it goes back by itself
    assert w.gateway.slips[payment.token].state == "paid"


def test_scenario_09_amount_that_the_gateway_changed_after_it_confirmed_stands_in_suspense() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost = 1
    callback(w, payment)
    w.gateway.slips[payment.token].amount_rial *= 10
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert sum(p.debit_rial for p in w.store.journal[0].postings) == 12_350_000
    assert w.store.certificates == {}


@pytest.mark.system
def test_scenario_09_amount_tampered_on_the_way_back_makes_no_certificate(system: System) -> None:
    """In the browser's own address, over the running system: the money goes back, the duty stays free."""
    clerk, anyone = system.client("clerk"), system.client(None)
    for change in ("1e400", "10"):
        plate = fresh_plate()
        payment = start_payment(clerk, assess(clerk, plate)).json
        location = urlsplit(press(anyone, payment))
        fields = dict(parse_qsl(location.query))
        name = next(name for name, value in fields.items() if value == payment["amount_rial"])
        answer = anyone.get(f"{location.path}?{urlencode({**fields, name: change})}")
        assert answer.status in (200, 303)
        state = clerk.get(f"/v1/payments/{payment['payment_id']}").json
        assert state["status"] in ("suspense", "refunding", "refunded")
        assert "certificate_id" not in state
        (entry,) = [
            entry
            for entry in journal_entries(system, payment["payment_id"])
            if entry["kind"] == "payment_suspense"
        ]
        assert {posting["account"] for posting in entry["postings"]} == {"gateway_clearing:sandbox", "suspense"}


# --- 10: rial and toman ---------------------------------------------------------------------------------


def test_scenario_10_every_adapter_declares_its_unit() -> None:
    settings = {"sandbox": {"base_url": "https://x.example", "merchant": "m", "secret": "s"}}
    settings |= credentials("https://x.example", "https://avarez.example")
    assert set(settings) == set(ADAPTERS)
    assert {name: adapter(name)(**settings[name]).rial_per_unit for name in ADAPTERS} == dict.fromkeys(ADAPTERS, 1)
    assert adapter("zarinpal")(**settings["zarinpal"], currency="IRT").rial_per_unit == 10


@given(tens=st.integers(100, 10**13), rial_per_unit=st.sampled_from([1, 10]))
def test_scenario_10_ledger_holds_the_gateways_count_times_its_unit(tens: int, rial_per_unit: int) -> None:
    w = world()
    w.gateway.rial_per_unit = rial_per_unit
    amount_rial = tens * 10
    years = (YearAmount(1404, amount_rial),)
    payment = open_one(w, years=years, rounding_rial=0, owed_rial=amount_rial)
    w.gateway.pay(payment.token)
    counted = to_units(w.gateway.slips[payment.token].amount_rial, rial_per_unit)
    after = callback(w, payment, amount=str(counted))
    assert after is not None
    assert after.status is Status.SETTLED
    booked = sum(posting.debit_rial for posting in w.store.journal[0].postings)
    assert booked == amount_rial == from_units(counted, rial_per_unit)


def test_scenario_10_callback_in_the_wrong_unit_is_another_amount() -> None:
    w = world()
    w.gateway.rial_per_unit = 10
    payment = open_one(w)
    w.gateway.pay(payment.token)
    after = callback(w, payment, amount="1235000")  # rial, where toman were agreed
    assert after is not None
    assert after.status is Status.SUSPENSE


@given(amount_rial=st.integers(1_001, 10**14).filter(lambda rial: rial % 10))
def test_scenario_10_amount_that_is_no_whole_toman_never_reaches_a_gateway_that_counts_them(
    amount_rial: int,
) -> None:
    with pytest.raises(ValueError, match="no whole number of units"):
        to_units(amount_rial, 10)


# --- 11: one reference, two payments --------------------------------------------------------------------


def test_scenario_11_reference_of_another_payment_is_not_verified_and_rings_the_alarm() -> None:
    w = world()
    first = open_one(w)
    w.gateway.pay(first.token)
    callback(w, first)
    second = open_one(w, key="k2", number=2, vehicle_id="ve_2")
    verifies = w.gateway.verifies
    after = callback(w, second, reference=w.gateway.slips[first.token].reference)
    assert after is not None
    assert after.status is Status.PENDING
    assert w.gateway.verifies == verifies
    assert occurrences(w, second)[-1] is Occurrence.REFERENCE_REUSED
    assert "reference_reused" in w.reports
    assert "reference_reused" in BUSINESS_METRICS
    w.gateway.pay(second.token)
    after = callback(w, now_of(w, second))
    assert after is not None
    assert after.status is Status.SETTLED  # by its own reference


def test_scenario_11_slip_of_another_sale_answers_409_reference_reused() -> None:
    w = world()
    w.store.machines["T-1"] = Terminal("T-1", "of1", "saman")
    sales = []
    for number in (1, 2):
        made = quote(w.clock, number, vehicle_id=f"ve_{number}")
        w.store.quotes[made.assessment_id] = made
        asked = Asked((made.assessment_id,), "pos", "", "", terminal="T-1")
        sold = terminals.create(w.desk, principal=CLERK, key=f"s{number}", asked=asked)
        sales.append(w.store.payments[sold.payment_id])
    slip = Slip("700000000001", 1_235_000)
    terminals.approved(w.desk, sales[0], slip)
    with pytest.raises(ReferenceReused) as refusal:
        terminals.approved(w.desk, sales[1], slip)
    assert (refusal.value.status, refusal.value.code) == (409, "reference_reused")
    assert len(w.store.journal) == 1


def test_scenario_11_reference_is_one_payments_over_the_engine(engine_tables: EngineTables) -> None:
    """The uniqueness is a key of the table: who writes it second is refused, though both hold it at once."""
    e = engine_tables.fresh(faulty=False)
    first, second = opened(e, 1), opened(e, 2)
    reference = e.w.gateway.pay(first.token)
    e.w.gateway.lost = 1  # the first is verifying, and not settled yet
    callback(e.w, first, reference=reference)
    assert e.now_of(first).status is Status.VERIFYING
    after = callback(e.w, second, reference=reference)
    assert after is not None
    assert after.status is Status.PENDING
    assert "reference_reused" in e.w.reports


@pytest.mark.system
def test_scenario_11_gateway_that_gives_one_reference_twice_settles_the_first_only(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    first = start_payment(clerk, assess(clerk, fresh_plate())).json
    location = press(anyone, first)
    reference = dict(parse_qsl(urlsplit(location).query))["reference"]
    second = start_payment(clerk, assess(clerk, fresh_plate())).json
    other = urlsplit(press(anyone, second))
    assert anyone.get(location).status in (200, 303)
    settled(system, clerk, first["payment_id"])
    stolen = urlencode({**dict(parse_qsl(other.query)), "reference": reference})
    assert anyone.get(f"{other.path}?{stolen}").status in (200, 303)
    assert clerk.get(f"/v1/payments/{second['payment_id']}").json["status"] == "pending"
    events = clerk.get(f"/v1/payments/{second['payment_id']}/events").json["events"]
    assert events[-1]["occurrence"] == "reference_reused"
