"""Who comes in a run: payers at gateways, fleets, bills at banks, cards at terminals, people who want money back.

Each visit is one payment (a fleet's is one as well). Which faults befall a visit is drawn where they happen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from avarez.clock import next_tehran_midnight, tehran_today
from avarez.errors import AvarezError
from avarez.http.principal import Principal
from avarez.journal import YearAmount
from functions.pay.payments import billing, refunding, terminals
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.opening import Asked, Opened, create
from functions.pay.payments.terminals import Slip
from functions.pay.rules.bills import PaidLine
from functions.pay.rules.records import Payment, Quote, Replay
from functions.pay.rules.states import Status
from functions.pay.rules.terminals import ClosingLine
from simulation.by_parts import ByParts
from simulation.gateway import MemoryGateway
from simulation.world import BEGIN, CITIES, TERMINALS, World

CLERK = Principal("clerk", "office", None, "of1", ("*",), frozenset())
RIVAL = Principal("rival", "office", None, "of2", ("*",), frozenset())
TRIES_MAX = 4
FLEET_CARS = 4
MIX = (("gateway", 0.79), ("bill", 0.07), ("pos", 0.07), ("fleet", 0.06), ("by parts", 0.01))
"""How the visits are spread over the channels."""
STRAYS = 0.1
"""How many sales bring one with them that nobody told us of."""
VARIANCES = 0.25
"""How many sales the terminal's own list does not have."""
AGAIN = 0.05
"""How many come again for a duty that they began to pay."""
REFUNDS = 0.08
"""How many visits end in somebody wanting money back."""


def wish_of(payment: Payment, channel: str, *, gateway: str = "", supersede_bill: bool = False) -> Asked:
    """What somebody asks for who wants to pay what this payment is of: its quote, or its agreement's next part."""
    assessments = () if payment.agreement_id else (payment.assessment_id,)
    return Asked(
        assessments, channel, gateway, "", supersede_bill=supersede_bill, agreement_id=payment.agreement_id
    )


class People:
    """Everybody who comes; keeps what banks and terminals know, which we are told later or never."""

    def __init__(self, world: World) -> None:
        self.w = world
        self.random = world.random
        self.visits = 0
        self.quotes = 0
        self.bank_lines: list[PaidLine] = []
        self.bank_rial: dict[str, int] = {}
        self.bank_sum_rial = 0
        self.paid_late: dict[str, date] = {}
        self.slips: dict[str, dict[str, ClosingLine]] = {}
        self.closed: set[str] = set()
        self.slip_numbers = 0
        self.lines = 0
        self.by_parts = ByParts(self)

    # -- quotes --------------------------------------------------------------------------------------

    def quote(self, vehicle_id: str, city: str) -> Quote:
        """A quote of today over one to three years, a whole thousand in all."""
        self.quotes += 1
        now = self.w.clock.now()
        first = 1402 + int(self.random.random() * 2)
        years = tuple(
            YearAmount(year, 100_000 + int(self.random.random() * 2_000_000)) for year in range(first, 1405)
        )
        owed_rial = sum(part.amount_rial for part in years)
        rounding_rial = -owed_rial % 1_000
        made = Quote(
            assessment_id=f"as_{self.quotes:036d}",
            municipality=city,
            plate=f"{vehicle_id}-{city}",
            vehicle_id=vehicle_id,
            as_of=tehran_today(now),
            expires_at=next_tehran_midnight(now),
            years=years,
            rounding_rial=rounding_rial,
            owed_rial=owed_rial + rounding_rial,
            trace_hash="ab" * 32,
            tariff_version="cd" * 32,
        )
        self.w.store.quotes[made.assessment_id] = made
        return made

    # -- visits --------------------------------------------------------------------------------------

    def visit(self) -> None:
        """Somebody comes to pay."""
        self.visits += 1
        draw, number = self.random.random(), self.visits
        channel = MIX[-1][0]
        for name, share in MIX:
            if draw < share:
                channel = name
                break
            draw -= share
        car = f"ve_{number}"
        city = CITIES[number % len(CITIES)]
        {
            "gateway": self._by_gateway,
            "bill": self._by_bill,
            "pos": self._by_card,
            "fleet": self._fleet,
            "by parts": self.by_parts.come,
        }[channel](car, city)

    def opened(self, open_it: Callable[[], Opened], then: Callable[[Payment], None], *, tries: int = 1) -> None:
        """Tries a few times with one key, as a clerk's page does; then goes on with the payment."""
        answer = self.w.attempt(open_it)
        if isinstance(answer, Opened):
            payment = self.w.store.payments.get(answer.payment_id)
            if payment is not None:
                then(payment)
        elif tries < TRIES_MAX and (answer is None or (isinstance(answer, AvarezError) and answer.retryable)):
            self.w.at(3, lambda: self.opened(open_it, then, tries=tries + 1))

    def _by_gateway(self, car: str, city: str) -> None:
        made = self.quote(car, city)
        gateway = self.w.gateways[self.visits % len(self.w.gateways)]
        asked = Asked((made.assessment_id,), "gateway", gateway.name, "")
        key = f"g{self.visits}"

        def open_it() -> Opened:
            return create(self.w.desk, principal=CLERK, key=key, asked=asked)

        kind = self.w.faults.at("payer")
        self.opened(open_it, lambda payment: self.at_the_page(payment, gateway, kind))
        if kind == "clicks_twice":
            self.opened(open_it, lambda payment: self.at_the_page(payment, gateway, ""))
        if kind == "rival":
            other = self.quote(car, city)
            wish = Asked((other.assessment_id,), "gateway", gateway.name, "")
            self.opened(
                lambda: create(self.w.desk, principal=RIVAL, key=f"r{other.assessment_id}", asked=wish),
                lambda payment: self.at_the_page(payment, gateway, ""),
            )

    def _fleet(self, car: str, city: str) -> None:
        quotes = [self.quote(f"{car}-{place}", city) for place in range(FLEET_CARS)]
        ids = [made.assessment_id for made in quotes]
        kind = self.w.faults.at("payer")
        if kind == "rival":
            ids.append(self.quote(f"{car}-0", city).assessment_id)  # a car that stands in the list twice
        gateway = self.w.gateways[0]
        asked = Asked(tuple(ids), "gateway", gateway.name, "")
        key = f"f{self.visits}"
        self.opened(
            lambda: joint.create(self.w.desk, principal=CLERK, key=key, asked=asked),
            lambda payment: self.at_the_page(payment, gateway, kind),
        )

    def at_the_page(self, payment: Payment, gateway: MemoryGateway, kind: str) -> None:
        if not payment.token:
            return
        if kind == "abandons":
            return
        if kind == "cancels":
            gateway.abandon(payment.token)
            self.w.at(20, lambda: self._callback(payment, gateway, "cancelled"))
            return
        if kind == "cancels_at_office":
            self.w.at(15, lambda: cancel(self.w.desk, self._now(payment), CLERK))
        late = timedelta(minutes=16) if kind == "pays_late" else timedelta(0)
        self.w.at(10 + self.random.random() * 100 + late.total_seconds(), lambda: self._pays(payment, gateway))

    def _comes_again(self, payment: Payment, gateway: MemoryGateway) -> None:
        """The same duty once more with the quote of before: somebody forgot, or did not believe the first page."""
        key = f"a{payment.payment_id}"
        asked = wish_of(payment, "gateway", gateway=gateway.name)
        self.opened(
            lambda: create(self.w.desk, principal=RIVAL, key=key, asked=asked),
            lambda other: self.at_the_page(other, gateway, ""),
        )

    def _pays(self, payment: Payment, gateway: MemoryGateway) -> None:
        if payment.assessment_id and self.random.random() < AGAIN:
            self.w.at(self.random.random() * 3_000, lambda: self._comes_again(payment, gateway))
        if gateway.pay(payment.token):
            self.w.at(1, lambda: self._callback(payment, gateway, "paid"))
        if self.random.random() < REFUNDS:
            self.w.at(600 + self.random.random() * 1_200, lambda: self._wants_money_back(payment))

    def _callback(self, payment: Payment, gateway: MemoryGateway, state: str) -> None:
        kind = self.w.faults.at("callback")
        if kind == "dropped":
            return
        reference = gateway.slips[payment.token].reference
        wrong = 1 if kind == "wrong_amount" else 0
        fields = {
            "order_id": payment.payment_id,
            "token": "stolen" if kind == "wrong_token" else payment.token,
            "state": "cancelled" if kind == "false_cancellation" else state,
            "reference": reference,
            "amount": str(gateway.slips[payment.token].amount_rial // gateway.rial_per_unit + wrong),
        }
        if kind == "invented_reference":
            fields["reference"] = f"lie{self.visits}"
        if kind == "stolen_reference":
            fields["reference"] = self._somebodys_reference(gateway)
        if kind in ("invented_reference", "stolen_reference", "wrong_token"):
            true = {**fields, "reference": reference, "token": payment.token}
            self.w.at(5, lambda: receive(self.w.desk, gateway_name=gateway.name, fields=true))
        if kind == "late":
            self.w.at(700 + self.random.random() * 2_000, lambda: self._told(gateway, fields))
            return
        for _ in range(3 if kind == "duplicated" else 1):
            self.w.attempt(lambda: self._told(gateway, fields))

    def _told(self, gateway: MemoryGateway, fields: dict[str, str]) -> None:
        receive(self.w.desk, gateway_name=gateway.name, fields=fields)

    def _somebodys_reference(self, gateway: MemoryGateway) -> str:
        tokens = list(gateway.slips)[-50:]
        references = [slip.reference for token in tokens if (slip := gateway.slips[token]).reference]
        return references[int(self.random.random() * len(references))] if references else "lie"

    def _now(self, payment: Payment) -> Payment:
        return self.w.store.payments[payment.payment_id]

    # -- bills ---------------------------------------------------------------------------------------

    def _by_bill(self, car: str, city: str) -> None:
        made = self.quote(car, city)
        asked = Asked((made.assessment_id,), "bill", "", "")
        key = f"b{self.visits}"
        self.opened(lambda: billing.create(self.w.desk, principal=CLERK, key=key, asked=asked), self.at_the_bank)

    def at_the_bank(self, payment: Payment) -> None:
        kind = self.w.faults.at("bank")
        if kind == "never_paid":
            return
        days = 20 if kind == "line_late" else 0
        self._line(payment.bill_id, payment.payment_code, payment.amount_rial, days)
        if kind == "paid_twice":
            self._line(payment.bill_id, payment.payment_code, payment.amount_rial, days)
        if kind == "line_repeated":
            self.bank_lines.append(self.bank_lines[-1])
        if kind == "paid_elsewhere_too":
            self._elsewhere_too(payment)
        if kind == "line_unknown":
            self._line("1117753200140", "12070160", 120_000, 0)

    def _elsewhere_too(self, bill: Payment) -> None:
        """At the gateway as well, shortly before the bank tells: the bill is given up for it."""
        gateway = self.w.gateways[0]
        asked = wish_of(bill, "gateway", gateway=gateway.name, supersede_bill=True)
        wait_s = 1_800 - (self.w.clock.now() - BEGIN).total_seconds() % 1_800 - 60

        def open_it() -> None:
            key = f"e{bill.payment_id}"
            self.opened(
                lambda: create(self.w.desk, principal=CLERK, key=key, asked=asked),
                lambda payment: self.at_the_page(payment, gateway, ""),
            )

        self.w.at(max(wait_s, 1), open_it)

    def _line(self, bill_id: str, code: str, amount_rial: int, days: int) -> None:
        day = tehran_today(self.w.clock.now()) + timedelta(days=days)
        self.lines += 1
        line = PaidLine(2, "02", day, bill_id, code, f"{self.lines:06d}")
        self.bank_lines.append(line)
        self.bank_rial[line.key] = amount_rial
        self.bank_sum_rial += amount_rial
        self.paid_late[line.key] = day

    def bank_tells(self) -> None:
        """The bank's file of the day; lines that could not be taken come again."""
        waiting: list[PaidLine] = []
        for line in self.bank_lines:
            outcome = self.w.attempt(partial(billing.take_line, self.w.desk, line, bank="melli"))
            if not isinstance(outcome, billing.Taken) or outcome is billing.Taken.WAITS:
                waiting.append(line)
        self.bank_lines = waiting

    # -- terminals -----------------------------------------------------------------------------------

    def _by_card(self, car: str, city: str) -> None:
        made = self.quote(car, city)
        terminal = f"T-{self.visits % TERMINALS}"
        asked = Asked((made.assessment_id,), "pos", "", "", terminal=terminal)
        key = f"t{self.visits}"
        self.opened(
            lambda: terminals.create(self.w.desk, principal=CLERK, key=key, asked=asked),
            self.at_the_terminal,
        )

    def at_the_terminal(self, payment: Payment) -> None:
        kind = self.w.faults.at("terminal")
        if kind == "declined":
            self.w.at(20, lambda: terminals.declined(self.w.desk, self._now(payment)))
            return
        self.slip_numbers += 1
        taken_rial = payment.amount_rial + (10 if kind == "wrong_amount" else 0)
        slip = Slip(f"{self.slip_numbers:012d}", taken_rial)
        listed = self.slips.setdefault(payment.terminal, {})
        if kind != "variance" and self.random.random() >= VARIANCES:
            listed[slip.reference] = ClosingLine(slip.reference, taken_rial, "", payment.payment_id)
        if kind == "sale_unknown" or self.random.random() < STRAYS:
            self.slip_numbers += 1
            stray = f"{self.slip_numbers:012d}"
            listed[stray] = ClosingLine(stray, 77_000)
        if kind == "answer_lost":
            return
        if kind == "typed_by_hand":
            self.w.at(30, lambda: terminals.typed_in(self.w.desk, self._now(payment), slip, by="clerk"))
            self.w.at(90, lambda: terminals.looked_at_again(self.w.desk, self._now(payment), slip, by="other"))
            return
        self.w.at(25, lambda: terminals.approved(self.w.desk, self._now(payment), slip))
        self.w.at(40, lambda: terminals.approved(self.w.desk, self._now(payment), slip))  # told once more

    def close_terminals(self) -> bool:
        """Every terminal's day is closed against its list, once; whether all of them are done."""
        day = tehran_today(self.w.clock.now())
        for machine in list(self.w.store.machines.values()):
            if machine.terminal_id in self.closed:
                continue
            lines = list(self.slips.get(machine.terminal_id, {}).values())
            close = partial(terminals.close_day, self.w.desk, machine, day=day, lines=lines, closed_by="clerk")
            answer = self.w.attempt(close)
            if getattr(answer, "done", False):
                self.closed.add(machine.terminal_id)
        return len(self.closed) == TERMINALS

    # -- refunds -------------------------------------------------------------------------------------

    def _wants_money_back(self, payment: Payment) -> None:
        of = self._now(payment)
        if of.parts:
            first, *_ = self.w.store.members(of, 0)
            of = self.w.store.payments.get(first.payment_id, of)
        if of.status is not Status.SETTLED:
            return
        some = self.random.random() < 0.5 and len(of.years) > 1
        years = [YearAmount(of.years[0].year, of.years[0].amount_rial)] if some else []
        replay = Replay("clerk", "POST", f"back{of.payment_id}", "hash", "", 1_900_000_000)
        asked = refunding.request(
            self.w.desk, of, years=years, reason="wants it back", requested_by="clerk", replay=replay
        )
        self.w.at(60, lambda: self._decides(asked.refund_id))
        if self.random.random() < 0.5:  # and so does somebody else, of the rest or of the same
            second = dataclasses.replace(replay, key=f"too{of.payment_id}")
            rest = [YearAmount(part.year, part.amount_rial) for part in of.years[1:]] if some else []
            other = refunding.request(
                self.w.desk, of, years=rest, reason="he too", requested_by="clerk", replay=second
            )
            self.w.at(60, lambda: self._decides(other.refund_id))

    def _decides(self, refund_id: str) -> None:
        refund = self.w.store.refunds[refund_id]
        refunding.approve(self.w.desk, refund, approved_by="officer")
