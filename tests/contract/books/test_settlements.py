"""The daily close over DynamoDB (moto): its figures, its range, every step killed, its files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import transact
from avarez.errors import ChainBroken, TransactionRefused
from avarez.money import format_rial
from avarez.settlements import (
    LINES_PER_BATCH,
    Line,
    LineKind,
    Settlement,
    batch_hash,
    batch_text,
    manifest_hash,
    settlement_item,
)
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import check
from functions.pay.rules import announcing
from functions.pay.rules.ledger import refund_entry
from functions.pay.rules.refunds import Refund
from functions.pay.settlement import closing
from functions.pay.settlement.closing import BATCHES_A_WRITE
from tests.contract.books.close_desk import CITY, ROUNDING_RIAL, YEAR_RIAL, CloseDesk, running_close_desk
from tests.independent_statement import statement
from tests.unit.payments.payments_fake import NOON

OWN_RIAL = YEAR_RIAL + ROUNDING_RIAL
PATH = "/v1/municipalities/{code}/settlements"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloseDesk]:
    yield from running_close_desk(monkeypatch)


def held(desk: CloseDesk, close: Settlement) -> None:
    """The close and its lines say what the events alone say."""
    alone = statement(desk.events(close.municipality), close.municipality, close.from_sequence, close.to_sequence)
    lines = desk.lines(close)
    assert (close.opening_rial, close.closing_rial) == (alone["opening_rial"], alone["closing_rial"])
    assert [(line.sequence, line.city_rial, line.balance_rial) for line in lines] == alone["lines"]
    told = {
        one.kind: {"count": one.count, "city_rial": one.city_rial, "fee_rial": one.fee_rial} for one in close.sums
    }
    assert told == alone["sums"]
    if close.to_sequence >= close.from_sequence:
        assert (close.first_hash, close.last_hash) == (alone["first_hash"], alone["last_hash"])
    assert close.manifest_hash == manifest_hash(desk.parts.closes.batch_hashes(close))
    assert close.lines == len(lines)


def closed(desk: CloseDesk) -> Settlement:
    made = desk.close()
    assert made is not None
    desk.sequence()
    held(desk, made)
    return made


def refund(desk: CloseDesk, paid: Any, number: int) -> None:
    asked = Refund(
        refund_id=f"rf_{number:036d}",
        payment_id=paid.payment_id,
        municipality=paid.municipality,
        plate=paid.plate,
        gateway=paid.gateway,
        reference=paid.reference,
        of_suspense=False,
        years=paid.years,
        rounding_rial=paid.rounding_rial,
        fee_rial=paid.fee_rial,
        amount_rial=paid.amount_rial,
        reason="paid twice",
        requested_by="clerk",
        requested_at=desk.clock.now(),
    )
    entry = refund_entry(paid, asked, whole=True, journal_id=f"je_{number:036d}", now=desk.clock.now())
    desk.book(entry, announcing.of_entry(entry, paid, asked))


def test_day_is_closed_once_it_is_over_and_its_event_follows(desk: CloseDesk) -> None:
    for number in range(1, 4):
        desk.pay(number, fee_rial=5_000)
    desk.sequence()
    assert desk.close() is None  # noon: the day is not over
    desk.next_day()
    first = closed(desk)
    assert (first.day, first.number, first.from_sequence, first.to_sequence) == ("2026-11-23", 1, 1, 3)
    assert (first.opening_rial, first.closing_rial, first.transfer_rial) == (0, 3 * OWN_RIAL, 3 * OWN_RIAL)
    paid = first.sum_of(LineKind.PAYMENT)
    assert (paid.count, paid.paid_rial, paid.fee_rial) == (3, 3 * (OWN_RIAL + 5_000), 15_000)
    assert paid.rounding_rial == 3 * ROUNDING_RIAL
    assert desk.close() is None  # once
    told = [event for event in desk.events() if event["type"] == "settlement.closed"]
    assert [event["settlement"]["settlement_id"] for event in told] == [first.settlement_id]
    assert told[0]["settlement"]["closing_rial"] == format_rial(3 * OWN_RIAL)
    desk.clock.advance(timedelta(days=1))
    second = closed(desk)  # what paid the first one stands in it
    assert (second.from_sequence, second.to_sequence) == (4, 5)
    assert (second.opening_rial, second.closing_rial, second.transfer_rial) == (3 * OWN_RIAL, 0, 0)
    assert second.sum_of(LineKind.TRANSFER).city_rial == -3 * OWN_RIAL


def test_late_item_falls_into_the_next_day_and_says_so(desk: CloseDesk) -> None:
    desk.pay(1)
    desk.sequence()
    desk.pay(2)  # booked today, and the sequencer is down
    desk.next_day()
    first = closed(desk)  # its event, the transfer's and the late one are chained after it
    assert first.lines == 1
    desk.pay(3)
    desk.sequence()
    desk.clock.advance(timedelta(days=1))
    second = closed(desk)
    lines = desk.lines(second)
    assert [line.late for line in lines if line.kind == "payment"] == [True, False]
    assert (second.late_lines, second.late_rial) == (1, OWN_RIAL)
    assert second.from_sequence == first.to_sequence + 1


def test_every_day_has_its_close_and_days_that_were_missed_are_made_up_for(desk: CloseDesk) -> None:
    desk.pay(1)
    desk.sequence()
    desk.clock.advance(timedelta(days=4))
    assert desk.run()["closed"] == 4
    closes = desk.parts.closes.settlements(CITY, before="", limit=10)
    assert [close.day for close in closes] == ["2026-11-26", "2026-11-25", "2026-11-24", "2026-11-23"]
    assert [close.transfer_rial for close in closes] == [0, 0, 0, OWN_RIAL]  # paid on once, though not chained yet
    assert desk.run()["closed"] == 0


def test_refund_of_more_than_the_day_took_is_carried_on_and_nothing_is_paid(desk: CloseDesk) -> None:
    paid = desk.pay(1)
    desk.sequence()
    desk.next_day()
    first = closed(desk)
    refund(desk, paid, 9)
    desk.sequence()
    desk.clock.advance(timedelta(days=1))
    second = closed(desk)
    assert (second.closing_rial, second.transfer_rial) == (-OWN_RIAL, 0)
    desk.pay(2)
    desk.pay(3)
    desk.sequence()
    desk.clock.advance(timedelta(days=1))
    third = closed(desk)
    assert (third.opening_rial, third.closing_rial, third.transfer_rial) == (-OWN_RIAL, OWN_RIAL, OWN_RIAL)
    assert first.transfer_rial + third.transfer_rial == 2 * OWN_RIAL


def test_direct_city_has_no_transfer_and_says_which_gateway_owes_it(desk: CloseDesk) -> None:
    desk.set_city(settlement_mode="direct")
    desk.pay(1)
    desk.pay(2, channel="bill", gateway="tejarat")
    desk.sequence()
    desk.next_day()
    made = closed(desk)
    assert (made.closing_rial, made.direct_rial, made.transfer_rial) == (2 * OWN_RIAL, OWN_RIAL, OWN_RIAL)
    assert [(of.operator, of.day, of.city_rial) for of in made.direct_days] == [
        ("sandbox", "2026-11-23", OWN_RIAL)
    ]
    status, told = desk.ask(f"GET {PATH}/{{id}}", {"code": CITY, "id": made.settlement_id})
    assert (status, told["status"], told["direct"][0]["status"]) == (200, "open", "open")
    bank = [{"municipality": CITY, "state": "matched"}]
    row = desk.duty.put(keys.reconciliation(CITY, "2026-11-23", "sandbox"), {"bank": bank})
    transact([row], dynamodb=desk.duty.dynamodb)
    assert (
        desk.ask(f"GET {PATH}/{{id}}", {"code": CITY, "id": made.settlement_id})[1]["direct"][0]["status"]
        == "matched"
    )


# --- whatever is killed ----------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here, between one call of AWS and the next."""


def killed_at(desk: CloseDesk, call: int, *, after: bool) -> bool:
    """Whether the run was killed at its write number `call`, before it or with its answer lost."""
    inner, count = desk.recorder.dynamodb, 0

    class Killing:
        def __getattr__(self, name: str) -> Any:
            def act(**request: Any) -> Any:
                nonlocal count
                if name == "transact_write_items":
                    count += 1
                    if count == call and not after:
                        raise Killed
                answer = getattr(inner, name)(**request)
                if name == "transact_write_items" and count == call and after:
                    raise Killed
                return answer

            return act

    desk.recorder.dynamodb = Killing()
    try:
        desk.close()
    except Killed:
        return True
    finally:
        desk.recorder.dynamodb = inner
    return False


MANY, BATCHES = (1_000, BATCHES_A_WRITE) if "AVAREZ_PROVE" in os.environ else (110, 2)
"""Lines, and batches of a transaction: three transactions of batches; the whole thousand in `make prove`."""


@pytest.mark.parametrize(("count", "after"), [(MANY, True), (MANY, False)], ids=["answer_lost", "before"])
def test_many_lines_killed_at_each_write_come_to_one_close(
    desk: CloseDesk, monkeypatch: pytest.MonkeyPatch, count: int, after: bool
) -> None:
    monkeypatch.setattr(closing, "BATCHES_A_WRITE", BATCHES)
    desk.chain(count)
    desk.next_day()
    kills = 0
    while killed_at(desk, 1 if after else 2, after=after):  # each run comes one write further
        kills += 1
        desk.clock.advance(timedelta(minutes=1))
    (made,) = desk.parts.closes.settlements(CITY, before="", limit=10)
    writes = 2 + -(-count // (LINES_PER_BATCH * BATCHES))  # plan, batches, close
    assert kills == (writes if after else writes - 1)
    desk.sequence()
    held(desk, made)
    assert (made.lines, made.closing_rial) == (count, count * OWN_RIAL)
    assert [line.sequence for line in desk.lines(made)] == list(range(1, count + 1))
    told = [event for event in desk.events() if event["type"] == "settlement.closed"]
    moved = [event for event in desk.events() if event.get("entry", {}).get("kind") == "settlement_transfer"]
    assert (len(told), len(moved)) == (1, 1)
    assert desk.parts.closes.plan(CITY) is None


def test_second_writer_on_the_same_plan_makes_no_second_close(desk: CloseDesk) -> None:
    desk.chain(60)
    desk.next_day()
    assert killed_at(desk, 2, after=True)
    plan = desk.parts.closes.plan(CITY)
    assert plan is not None
    first = closed(desk)
    assert first.settlement_id == plan.settlement_id
    with pytest.raises(TransactionRefused):
        desk.parts.closes.keep(plan, 0, [batch_text(desk.lines(first)[:1])])
    held(desk, first)


def test_nothing_is_closed_over_a_broken_chain(desk: CloseDesk) -> None:
    for number in range(1, 4):
        desk.pay(number)
    desk.sequence()
    transact([desk.ledger.delete(keys.chain_event(CITY, 2))], dynamodb=desk.ledger.dynamodb)
    desk.next_day()
    with pytest.raises(ChainBroken) as broken:
        desk.close()
    assert broken.value.code == "chain_broken"
    desk.set_city("TABRIZ")
    desk.pay(9, city="TABRIZ")
    desk.clock.instant = NOON
    desk.sequence("TABRIZ")
    desk.next_day()
    desk.clock.advance(timedelta(days=1))
    counted = desk.run()
    assert (counted["failed"], counted["closed"]) == (1, 1)  # nobody else is kept from it


# --- HTTP ------------------------------------------------------------------------------------------------


def test_list_and_files_of_a_close(desk: CloseDesk) -> None:
    desk.pay(1, fee_rial=5_000)
    desk.sequence()
    desk.next_day()
    for _ in range(3):
        closed(desk)
        desk.clock.advance(timedelta(days=1))
    city = {"code": CITY}
    status, page = desk.ask(f"GET {PATH}", city, query={"limit": "2"}, group="municipality", municipality=CITY)
    assert (status, [one["number"] for one in page["settlements"]]) == (200, [3, 2])
    _, rest = desk.ask(f"GET {PATH}", city, query={"limit": "2", "cursor": page["cursor"]})
    assert ([one["number"] for one in rest["settlements"]], rest["cursor"]) == ([1], None)
    first = rest["settlements"][0]
    assert (first["status"], first["transfer"]["reference"]) == ("open", f"{CITY}-1")
    of = {**city, "id": first["settlement_id"]}
    status, text = desk.ask(f"GET {PATH}/{{id}}/statement.csv", of)
    assert (status, text[0]) == (200, "\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [row["kind"] for row in rows] == ["opening_balance", "payment", "closing_balance"]
    assert [row["balance_rial"] for row in rows] == ["0", str(OWN_RIAL), str(OWN_RIAL)]
    assert (rows[1]["paid_rial"], rows[1]["fee_rial"], rows[1]["years"]) == (str(OWN_RIAL + 5_000), "5000", "1404")
    status, told = desk.ask(f"GET {PATH}/{{id}}/statement.json", of)
    assert (status, told["part"], told["parts"], told["statement"][0]["city_rial"]) == (200, 1, 1, str(OWN_RIAL))
    second = {**city, "id": page["settlements"][1]["settlement_id"]}
    _, text = desk.ask(f"GET {PATH}/{{id}}/statement.csv", second)
    (moved,) = [row for row in csv.DictReader(io.StringIO(text[1:])) if row["kind"] == "transfer"]
    assert moved["city_rial"] == str(-OWN_RIAL)  # a number, and no formula's apostrophe before it


def test_foreign_city_unknown_close_and_bad_numbers_are_refused(desk: CloseDesk) -> None:
    desk.pay(1)
    desk.sequence()
    desk.next_day()
    made = closed(desk)
    of = {"code": CITY, "id": made.settlement_id}
    stranger = {"group": "municipality", "municipality": "TABRIZ"}
    for route in (f"GET {PATH}", f"GET {PATH}/{{id}}", f"GET {PATH}/{{id}}/statement.csv"):
        assert desk.ask(route, of, **stranger)[1]["code"] == "municipality_not_found"
    other = desk.ask(f"GET {PATH}/{{id}}", {"code": "TABRIZ", "id": made.settlement_id})
    assert (other[0], other[1]["code"]) == (404, "settlement_not_found")
    for query in ({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "py_1"}):
        assert desk.ask(f"GET {PATH}", of, query=query)[0] == 422
    assert desk.ask(f"GET {PATH}/{{id}}/statement.csv", of, query={"part": "2"})[0] == 422
    reading = {"scopes": ["avarez/ledger.read"], **stranger, "municipality": CITY}
    assert desk.ask(f"POST {PATH}", of, {"day_jalali": "1405-09-02"}, **reading)[0] == 403


def test_operator_closes_today_at_this_moment_and_the_rest_of_it_is_tomorrows(desk: CloseDesk) -> None:
    desk.pay(1)
    desk.sequence()
    desk.clock.advance(timedelta(minutes=1))
    today, city = {"day_jalali": "1405-09-02"}, {"code": CITY}
    status, told = desk.ask(f"POST {PATH}", city, today)
    assert status == 201, told
    (made,) = told["closed"]
    assert (made["early"], made["day_jalali"], made["closed_by"]) == (True, "1405-09-02", "somebody")
    assert desk.ask(f"POST {PATH}", city, today) == (200, {"municipality": CITY, "closed": []})
    desk.clock.advance(timedelta(minutes=1))
    desk.pay(2)
    desk.sequence()
    desk.next_day()
    assert desk.close() is None  # the rest of the day is in the next one
    desk.clock.advance(timedelta(days=1))
    second = closed(desk)
    assert (second.sum_of(LineKind.PAYMENT).count, second.late_lines) == (1, 0)
    assert desk.ask(f"POST {PATH}", city, {"day_jalali": "1405-12-01"})[0] == 422
    assert desk.ask(f"POST {PATH}", {"code": "TABRIZ"}, today)[1]["code"] == "settlement_not_due"


# --- the books, looked at again --------------------------------------------------------------------------


def broken(desk: CloseDesk, day: str = "2026-11-23") -> list[tuple[str, str]]:
    book = Books(desk.duty, desk.ledger).book(CITY, day, desk.clock.now())
    assert book.closed is not None
    return [(one.invariant, one.how) for one in check(book) if one.invariant in ("I7", "I10")]


def test_books_hold_closes_to_the_chain_and_name_what_was_changed(desk: CloseDesk) -> None:
    desk.chain(30)
    desk.next_day()
    first = closed(desk)
    desk.clock.advance(timedelta(days=1))
    second = closed(desk)
    assert (broken(desk), broken(desk, "2026-11-24")) == ([], [])
    lines = desk.lines(first)

    def put(key: tuple[str, str], item: dict[str, Any]) -> None:
        transact([desk.ledger.put(key, item)], dynamodb=desk.ledger.dynamodb)

    def rewritten(batch: list[Line]) -> list[tuple[str, str]]:
        """What the books say while the first batch is this one."""
        key = keys.settlement_lines(CITY, first.settlement_id, 0)
        put(key, {"lines": batch_text(batch), "hash": batch_hash(batch)})
        found = broken(desk)
        put(key, {"lines": batch_text(lines[:25]), "hash": batch_hash(lines[:25])})
        return found

    assert {name for name, _ in rewritten(lines[1:25])} == {"I7", "I10"}  # one is missing
    assert ("I10", "event 1 is 2 lines of it") in rewritten([lines[0], *lines[:25]])
    one_more = replace(lines[0], city_rial=lines[0].city_rial + 1)
    assert ("I10", f"line 1 says {OWN_RIAL + 1}, and its event {OWN_RIAL}") in rewritten([one_more, *lines[1:25]])
    assert broken(desk) == []
    put(keys.settlement(CITY, second.settlement_id), settlement_item(replace(second, from_sequence=32)))
    assert broken(desk, "2026-11-24")[0][0] == "I10"
    put(keys.settlement(CITY, second.settlement_id), settlement_item(replace(second, opening_rial=1)))
    assert {name for name, _ in broken(desk, "2026-11-24")} == {"I7"}
