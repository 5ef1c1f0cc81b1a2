"""Sales at terminals and their closings over DynamoDB (moto), with exactly the rights they need."""

from __future__ import annotations

from datetime import date

import pytest

from avarez.errors import PosResultConflict
from functions.pay.payments import terminals
from functions.pay.payments.opening import Asked
from functions.pay.payments.terminals import Slip
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.rules.terminals import ClosingLine, Terminal
from tests.contract.pay_counter import Counter, granted
from tests.contract.payments.test_payment_store import quote_writer
from tests.unit.payments.payments_fake import CLERK, quote

TODAY = date(2026, 11, 23)
AMOUNT_RIAL = 1_235_000


def sell(counter: Counter, number: int) -> Payment:
    made = quote(counter.w.clock, number, vehicle_id=f"ve_{number}", plate=f"12B3{number:02d}-67")
    quote_writer(counter.duty)(made)
    asked = Asked((made.assessment_id,), "pos", "", "", terminal="T-1")
    opened = terminals.create(counter.w.desk, principal=CLERK, key=f"s{number}", asked=asked)
    return counter.now_of(opened.payment_id)


def test_sale_and_closing_come_back_as_they_were_written(counter: Counter) -> None:
    desk = counter.w.desk
    desk.terminals.register(Terminal("T-1", "of1", "saman", "SN-1"))
    paid, lost, unsold = (sell(counter, number) for number in range(1, 4))
    assert [sale.payment_id for sale in desk.terminals.sales("T-1", after="")] == sorted(
        [paid.payment_id, lost.payment_id, unsold.payment_id]
    )
    terminals.approved(desk, paid, Slip("1001", AMOUNT_RIAL))
    lines = [ClosingLine("1002", AMOUNT_RIAL, order_id=lost.payment_id), ClosingLine("9009", 700_000)]
    terminal = desk.terminals.terminal("T-1")
    assert terminal == Terminal("T-1", "of1", "saman", "SN-1")
    closing = terminals.close_day(desk, terminal, day=TODAY, lines=lines, closed_by="clerk")
    assert desk.terminals.closing("T-1", TODAY) == desk.terminals.last_closing("T-1") == closing
    assert closing.variance_rial == 700_000
    assert counter.now_of(lost.payment_id).status is Status.SETTLED
    assert counter.now_of(unsold.payment_id).status is Status.CANCELLED
    after = desk.terminals.terminal("T-1")
    assert after is not None
    assert desk.terminals.sales("T-1", after=after.last_payment_id) == []
    assert terminals.close_day(desk, after, day=TODAY, lines=lines, closed_by="clerk") == closing
    with pytest.raises(PosResultConflict):
        terminals.close_day(desk, after, day=TODAY, lines=lines[:1], closed_by="clerk")


def test_terminals_need_exactly_what_they_are_granted(counter: Counter) -> None:
    desk = counter.w.desk
    desk.terminals.register(Terminal("T-1", "of1", "saman"))
    typed, given_up, declined, paid = (sell(counter, number) for number in range(1, 5))

    asked = Asked((), "pos", "", "", terminal="T-1", agreement_id=counter.agreement(50).agreement_id)
    opened = terminals.create(desk, principal=CLERK, key="part", asked=asked)

    def everything() -> None:
        terminals.approved(desk, paid, Slip("1001", AMOUNT_RIAL))
        part = terminals.approved(desk, counter.now_of(opened.payment_id), Slip("1005", 618_000))
        assert (part.status, part.instalment) == (Status.SETTLED, 1)
        waiting = terminals.typed_in(desk, typed, Slip("1002", AMOUNT_RIAL), by="clerk")
        with pytest.raises(PosResultConflict):
            terminals.looked_at_again(desk, waiting, Slip("1003", AMOUNT_RIAL), by="other")
        terminals.release(desk, terminals.release(desk, given_up, by="clerk"), by="other")
        terminals.declined(desk, declined)
        terminal = desk.terminals.terminal("T-1")
        assert terminal is not None
        desk.terminals.register(terminal)
        terminals.close_day(desk, terminal, day=TODAY, lines=[ClosingLine("9009", 1_000)], closed_by="clerk")

    assert counter.used(everything) == granted("pay-terminals")


def test_office_lists_its_terminals_and_none_that_went_to_another(counter: Counter) -> None:
    terminals_kept = counter.w.desk.terminals
    for name, office in (("T-2", "of1"), ("T-1", "of1"), ("T-3", "of2"), ("T-2", "of2")):
        terminals_kept.register(Terminal(name, office, "saman"))
    assert [terminal.terminal_id for terminal in terminals_kept.terminals_of("of1")] == ["T-1"]
    assert [terminal.terminal_id for terminal in terminals_kept.terminals_of("of2")] == ["T-2", "T-3"]
