"""Scenarios 8, 19 and 20: many payers of one duty, a store that throttles, a storm of conflicts.

`AVAREZ_PROVE=1` runs the race's 1,000 rounds.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from avarez import dynamo, keys
from avarez.dynamo import Table, transact
from avarez.errors import AvarezError, ServiceBusy
from functions.pay import handler as pay_handler
from functions.pay.payments import billing, terminals
from functions.pay.payments.opening import Asked, Opened, create
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.rules.terminals import Terminal
from functions.pay.stores.payment_store import DynamoStore
from infra.routes import ENTRY_POINTS
from infra.routes.kinds import TableGrant
from tests.contract.pay_counter import Recorder
from tests.scenarios.emulated import CONFLICT, THROTTLED, Emulated, EngineTables
from tests.scenarios.test_crashes_and_lost_answers import opened
from tests.system.conftest import Client, System
from tests.system.journey import assess, certificate, follow_callback, press, settled, start_payment
from tests.system.ledger import journal_entries
from tests.system.plates import fresh_plate
from tests.unit.payments.payments_fake import CLERK, quote
from tests.unit.payments.payments_steps import callback
from tests.unit.payments.test_pay_http import CLIENT, ISSUER, as_clerk

PROVING = "AVAREZ_PROVE" in os.environ
PAYERS = 16
ROUNDS = 1_000 if PROVING else 25
ROUNDS_OVER_HTTP = 60 if PROVING else 4
TRIES_MAX = 60
CLEAN = {"duty_locked", "duty_paid", "bill_open"}
CHANNELS = ("gateway", "pos", "bill")
OPENINGS: dict[str, Callable[..., Opened]] = {
    "gateway": create,
    "pos": terminals.create,
    "bill": billing.create,
}


# --- 8: many payers, three channels, one duty -----------------------------------------------------------


def ready(e: Emulated) -> None:
    """The city takes bills, and the office has a terminal."""
    duty = e.tables["duty"]
    setting = {"bill_company_code": 123, "bill_valid_days": 10}
    transact([duty.put(keys.municipality_setting("TEHRAN"), setting)], dynamodb=duty.dynamodb)
    e.w.desk.terminals.register(Terminal("T-1", "of1", "saman"))


def race(e: Emulated, number: int, pool: ThreadPoolExecutor) -> list[str | AvarezError]:
    """Sixteen payers of one car at once, each with a quote of his own key, by three channels in turn."""
    plates = [f"12B{number % 900 + 100}-{region}" for region in (11, 22)]
    quotes = [
        e.put_quote(quote(e.w.clock, number * 2 + side, vehicle_id=f"ve_{number}", plate=plate))
        for side, plate in enumerate(plates)
    ]

    def pay(payer: int) -> str | AvarezError:
        channel = CHANNELS[(payer + number) % len(CHANNELS)]
        asked = Asked(
            (quotes[payer % 2].assessment_id,), channel, "", "", terminal="T-1" if channel == "pos" else ""
        )
        try:
            made = OPENINGS[channel](e.w.desk, principal=CLERK, key=f"k{number}-{payer}", asked=asked)
        except AvarezError as refusal:
            return refusal
        return made.payment_id

    return list(pool.map(pay, range(PAYERS)))


@pytest.mark.timeout(1_200)
def test_scenario_08_sixteen_payers_over_three_channels_have_one_winner_and_fifteen_clean_refusals(
    engine_tables: EngineTables,
) -> None:
    """Under its old plate and its new one, by gateway, terminal and bill; then the winner pays, once."""
    e = engine_tables.fresh(faulty=False)
    ready(e)
    won: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    started = time.perf_counter()
    with ThreadPoolExecutor(PAYERS) as pool:
        for number in range(1, ROUNDS + 1):
            answers = race(e, number, pool)
            winners = [answer for answer in answers if isinstance(answer, str)]
            refusals = [answer for answer in answers if isinstance(answer, AvarezError)]
            codes = sorted(refusal.code for refusal in refusals)
            assert len(winners) == 1, (number, codes)
            assert {refusal.status for refusal in refusals} == {409}, (number, codes)
            assert set(codes) <= CLEAN, (number, codes)
            refused.update(codes)
            payment = e.w.desk.store.payment(winners[0])
            assert payment is not None
            won[payment.channel] += 1
    print(f"{ROUNDS} rounds in {time.perf_counter() - started:.0f} s: won {dict(won)}, refused {dict(refused)}")
    assert refused.total() == ROUNDS * (PAYERS - 1)
    assert len(won) == len(CHANNELS)  # each channel wins some


def with_a_terminal(system: System) -> str:
    """A terminal of the clerks' office."""
    registered = {"office": "OFFICE-TEHRAN-101", "acquirer": "saman"}
    answer = system.client("operator").put("/v1/terminals/T-RACE-1", registered)
    assert answer.status == 200, answer.text
    return "T-RACE-1"


@pytest.mark.system
@pytest.mark.timeout(900)
def test_scenario_08_sixteen_clerks_in_the_same_second_have_one_winner_over_http(system: System) -> None:
    clerks = [system.client("clerk"), system.client("clerk2")]
    terminal = with_a_terminal(system)

    def begin(turn: tuple[int, Client, dict[str, Any]]) -> Any:
        payer, clerk, made = turn
        # Only the clerk of the terminal's own office may sell at it.
        channel = ("gateway", "pos" if clerk is clerks[0] else "gateway", "bill", "bill")[payer % 4]
        more = {"terminal": terminal} if channel == "pos" else {}
        return start_payment(clerk, made, channel=channel, **more)

    for _ in range(ROUNDS_OVER_HTTP):
        plate = fresh_plate()
        quotes = [assess(clerk, plate) for clerk in clerks]
        turns = [(payer, clerks[payer // 4 % 2], quotes[payer // 4 % 2]) for payer in range(PAYERS)]
        with ThreadPoolExecutor(PAYERS) as pool:
            answers = list(pool.map(begin, turns))
        winners = [answer for answer in answers if answer.status == 201]
        losers = [answer for answer in answers if answer.status != 201]
        assert len(winners) == 1, [answer.text for answer in answers]
        assert {answer.status for answer in losers} == {409}
        assert {answer.json["code"] for answer in losers} <= CLEAN
        if "redirect_url" not in winners[0].json:
            continue
        anyone = system.client(None)
        follow_callback(anyone, press(anyone, winners[0].json))
        clerk = (
            clerks[0]
            if clerks[0].get(f"/v1/payments/{winners[0].json['payment_id']}").status == 200
            else clerks[1]
        )
        done = settled(system, clerk, winners[0].json["payment_id"])
        assert len(journal_entries(system, done["payment_id"])) == 1
        certificate(system, clerk, done["certificate_id"])
        again = start_payment(clerks[0], quotes[0])
        assert (again.status, again.json["code"]) == (409, "duty_paid")


# --- 19: the store throttles ----------------------------------------------------------------------------


def test_scenario_19_no_read_of_payments_goes_to_an_index_and_each_is_consistent(
    engine_tables: EngineTables,
) -> None:
    """No decision about money can rest on an index: the functions of payments may ask none, and ask none."""
    e = engine_tables.fresh(faulty=False)
    asked: list[dict[str, Any]] = []

    class Watched(Recorder):
        def _call(self, name: str, **request: Any) -> Any:
            if name in ("get_item", "query", "batch_get_item"):
                asked.append(request)
            return getattr(self.dynamodb, name)(**request)

    watched = Watched(e.tables["duty"].dynamodb)
    store = DynamoStore(Table(e.tables["duty"].name, watched), Table(e.tables["ledger"].name, watched))
    e.w.desk = replace(e.w.desk, store=store)
    payment = opened(e, 1)
    callback(e.w, payment, reference=e.w.gateway.pay(payment.token))
    assert asked
    assert all(request.get("ConsistentRead") for request in asked)
    assert not any("IndexName" in request for request in asked)
    of_money = [entry for entry in ENTRY_POINTS if entry.name.startswith("pay-")]
    indexed = [
        entry.name
        for entry in of_money
        for grant in entry.grants
        if isinstance(grant, TableGrant) and grant.indexes
    ]
    # The sweep of the chain finds by the index which city waits; what it places, it reads from the table.
    assert indexed == ["pay-chain-sweep"]


@pytest.mark.parametrize(("share", "payments", "attempts"), [(0.1, 12, 2), (0.3, 8, 2), (0.5, 4, 4)])
def test_scenario_19_throttling_is_retried_then_told_as_503_and_tears_no_write(
    engine_tables: EngineTables, monkeypatch: pytest.MonkeyPatch, share: float, payments: int, attempts: int
) -> None:
    """201, or 503 with Retry-After; the same key goes on; and the tables never hold half a payment."""
    e = engine_tables.fresh(faulty=True, attempts=attempts)
    monkeypatch.setattr(pay_handler, "desk", lambda: e.w.desk)
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)
    quotes = [
        e.put_quote(quote(e.w.clock, number, vehicle_id=f"ve_{number}", plate=f"12B{number + 100}-67"))
        for number in range(payments)
    ]
    e.proxy.faults({"probability": share, **THROTTLED})
    refusals: Counter[int] = Counter()

    def pay(number: int) -> None:
        body = {"assessment_id": quotes[number].assessment_id, "channel": "gateway"}
        for _ in range(TRIES_MAX):
            status, headers, answer = as_clerk("POST /v1/payments", body=body, idempotency_key=f"k{number}")
            if status == 201:
                break
            assert (status, answer["code"]) == (503, "service_busy"), answer
            assert int(headers["retry-after"]) >= 1
            refusals[number] += 1
        assert status == 201
        reference = e.w.gateway.pay(answer["redirect_url"].rpartition("/")[2])
        for _ in range(TRIES_MAX):
            try:
                payment = e.w.desk.store.payment(answer["payment_id"])
                assert payment is not None
                after = callback(e.w, payment, reference=reference)
            except ServiceBusy as busy:
                assert busy.retry_after_s
                continue
            if after is not None and after.status is Status.SETTLED:
                return
        raise AssertionError("not settled although the store takes half of what it is sent")

    with ThreadPoolExecutor(payments) as pool:
        list(pool.map(pay, range(payments)))
    fired = e.proxy.fired()
    e.proxy.calm()
    assert {fault["operation"] for fault in fired} >= {"GetItem", "TransactWriteItems"}
    whole(e, payments)


def whole(e: Emulated, payments: int) -> None:
    """Each payment with all that its writes bring, and nothing of any other."""
    duty, ledger = e.items("duty"), e.items("ledger")
    told = [item for item in duty if item.get("channel") == "gateway" and "version" in item]
    assert len(told) == payments
    assert {item["status"] for item in told} == {"settled"}
    ids = {item["payment_id"] for item in told}
    held = [item for item in duty if str(item["pk"]).startswith("DUTY#")]
    assert {item["status"] for item in held} == {"paid"}
    years = Counter(item["payment_id"] for item in held)
    journal = Counter(item["payment_id"] for item in ledger if "#JOURNAL#" in item["pk"])
    rows = [item for item in ledger if str(item["pk"]).startswith("OUTBOX#")]
    to_chain = Counter(item["about"] for item in rows if str(item["sk"]).startswith(keys.TO_CHAIN_PREFIX))
    outbox = Counter(item["payment_id"] for item in rows if not str(item["sk"]).startswith(keys.TO_CHAIN_PREFIX))
    certificates = Counter(item["payment_id"] for item in duty if "trace_hash" in item and "kind" in item)
    assert years == dict.fromkeys(ids, 2)
    assert journal == outbox == to_chain == certificates == dict.fromkeys(ids, 1)


# --- 20: a storm of conflicts ---------------------------------------------------------------------------


@dataclass
class Attempts(Recorder):
    """A client of DynamoDB that counts how often each transaction was sent."""

    sent: Counter[str] = field(default_factory=Counter)
    keys: dict[tuple[str, str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    owner: Callable[[], str] = field(default=lambda: "")

    def _call(self, name: str, **request: Any) -> Any:
        if name == "transact_write_items":
            items = request["TransactItems"]
            self.sent[str(id(items[0]))] += 1
            for part in items:
                ((kind, write),) = part.items()
                key = write["Item"] if kind == "Put" else write["Key"]
                if kind != "ConditionCheck":
                    self.keys[write["TableName"], key["pk"]["S"], key["sk"]["S"]].add(self.owner())
        return getattr(self.dynamodb, name)(**request)


def test_scenario_20_payments_of_one_city_write_no_item_in_common(engine_tables: EngineTables) -> None:
    """No balance, no counter, no list that two payments touch: so there is no hot item to conflict on."""
    e = engine_tables.fresh(faulty=False)
    now_paying = [""]
    counted = Attempts(e.tables["duty"].dynamodb, owner=lambda: now_paying[0])
    store = DynamoStore(Table(e.tables["duty"].name, counted), Table(e.tables["ledger"].name, counted))
    e.w.desk = replace(e.w.desk, store=store)
    for number in range(1, 25):
        now_paying[0] = str(number)
        payment = opened(e, number)
        after = callback(e.w, payment, reference=e.w.gateway.pay(payment.token))
        assert after is not None
        assert after.status is Status.SETTLED
    shared = {key: owners for key, owners in counted.keys.items() if len(owners) > 1}
    assert shared == {}
    assert len(counted.keys) > 24 * 10


def test_scenario_20_conflicts_are_tried_again_and_most_transactions_need_five_tries_at_most(
    engine_tables: EngineTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of ten writes conflict, sixteen payers of one city: all settle once, p99 is five tries or fewer."""
    monkeypatch.setattr(dynamo, "_CONFLICT_PAUSE_S", 0.002)
    payers = 48
    e = engine_tables.fresh(faulty=True)
    counted = Attempts(e.w.desk.store.duty.dynamodb)  # type: ignore[attr-defined]
    store = DynamoStore(Table(e.tables["duty"].name, counted), Table(e.tables["ledger"].name, counted))
    e.w.desk = replace(e.w.desk, store=store)
    e.proxy.faults({"operation": "TransactWriteItems", "probability": 0.3, **CONFLICT})

    def pay(number: int) -> Payment:
        for _ in range(20):
            try:
                payment = opened(e, number)
                break
            except ServiceBusy:
                continue
        for _ in range(20):
            after = callback(e.w, payment, reference=e.w.gateway.pay(payment.token))
            if after is not None and after.status is Status.SETTLED:
                return after
        raise AssertionError("not settled")

    with ThreadPoolExecutor(PAYERS) as pool:
        done = list(pool.map(pay, range(1, payers + 1)))
    conflicts = e.proxy.fired()
    e.proxy.calm()
    assert len(conflicts) > payers
    assert len({payment.payment_id for payment in done}) == payers
    tries = sorted(counted.sent.values())
    assert tries[int(len(tries) * 0.99) - 1] <= 5
    whole(e, payers)
