"""Who pays a duty in parts: agreements that two people make, parts over every channel, some late, some given up.

Those who agreed days before the run begins have a part that is due: whoever does not pay it breaks the agreement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from avarez.http.principal import Principal
from functions.pay.payments import billing, instalments, terminals
from functions.pay.payments.opening import Asked, Opened, create
from functions.pay.rules.instalments import Agreement, AgreementStatus

if TYPE_CHECKING:
    from simulation.people import People

AGREED_BEFORE = timedelta(days=9)
"""How long before the run: a first part that nobody paid is late beyond its grace on its first day."""
PAYS_AT_ONCE = 0.2
"""How many of those pay the first part on the day of the agreement."""
GOES_ON = 0.75
"""How many pay the part after one that they paid; the others have forgotten."""
OLD = 0.3
"""How many of those who come have an agreement already."""
TRIES_MAX = 4
TERMS = {"parts_max": 4, "every_months": 1, "grace_days": 3, "least_rial": 10_000}
SURCHARGES_PPM = {"SHIRAZ": 20_000}
PLEDGER = Principal("pledger", "office", None, "of1", ("*",), frozenset())


class ByParts:
    """Agreements, and their parts."""

    def __init__(self, people: People) -> None:
        self.p = people
        self.w = people.w
        self.random = people.random
        self.opened = 0

    def come(self, car: str, city: str) -> None:
        """Somebody pays the next part of an agreement, or makes one and pays its first part."""
        if self.w.store.agreements and self.random.random() < OLD:
            known = list(self.w.store.agreements)
            self._pay(known[int(self.random.random() * len(known))])
        else:
            self._agree(car, city, self._pay)

    def agreed_before(self, number: int, city: str) -> None:
        """An agreement of days ago, with its first part paid or not."""

        def then(agreement_id: str) -> None:
            if self.random.random() < PAYS_AT_ONCE:
                self._pay(agreement_id, goes_on=0.0)

        self._agree(f"vp_{number}", city, then)

    # -- agreeing ------------------------------------------------------------------------------------

    def _agree(self, car: str, city: str, then: Callable[[str], None], tries: int = 1) -> None:
        terms = TERMS | {"surcharge_ppm": SURCHARGES_PPM.get(city, 0)}
        made = replace(self.p.quote(car, city), instalments=terms)
        self.w.store.quotes[made.assessment_id] = made
        parts = 2 + int(self.random.random() * 3)
        ask = partial(
            instalments.request,
            self.w.desk,
            principal=PLEDGER,
            assessment_id=made.assessment_id,
            parts=parts,
        )
        answer = self.w.attempt(ask)
        if isinstance(answer, Agreement):
            self.w.at(60, lambda: self._approve(answer.agreement_id, then))
        elif tries < TRIES_MAX:
            self.w.at(3, lambda: self._agree(car, city, then, tries + 1))

    def _approve(self, agreement_id: str, then: Callable[[str], None], tries: int = 1) -> None:
        agreement = self.w.store.agreements[agreement_id]
        if agreement.status is AgreementStatus.REQUESTED:
            self.w.attempt(lambda: instalments.approve(self.w.desk, agreement, by="officer"))
            if tries < TRIES_MAX:
                self.w.at(5, lambda: self._approve(agreement_id, then, tries + 1))
        elif agreement.status is AgreementStatus.IN_FORCE:
            then(agreement_id)

    # -- paying --------------------------------------------------------------------------------------

    def _pay(self, agreement_id: str, *, goes_on: float = GOES_ON) -> None:
        """The next part over some channel; after it, mostly, the one after."""
        agreement = self.w.store.agreements[agreement_id]
        kind = self.w.faults.at("by parts")
        if kind == "stops" or agreement.status is not AgreementStatus.IN_FORCE:
            return
        if kind == "year_alone":
            self._pays_the_year_alone(agreement)
        for _ in range(2 if kind == "two_at_once" else 1):
            self._open(agreement_id)
        if kind == "pays_ahead":
            self.w.at(40, lambda: self._open(agreement_id))
        if self.random.random() < goes_on:
            self.w.at(300 + self.random.random() * 600, lambda: self._goes_on(agreement_id, agreement.paid_parts))

    def _goes_on(self, agreement_id: str, paid_parts: int) -> None:
        agreement = self.w.store.agreements[agreement_id]
        if agreement.paid_parts > paid_parts and agreement.status is AgreementStatus.IN_FORCE:
            self._pay(agreement_id)

    def _open(self, agreement_id: str) -> None:
        self.opened += 1
        key, draw = f"i{self.opened}", self.random.random()
        desk = self.w.desk
        if draw < 0.15:
            asked = Asked((), "bill", "", "", agreement_id=agreement_id)
            bill = partial(billing.create, desk, principal=PLEDGER, key=key, asked=asked)
            self.p.opened(bill, self.p.at_the_bank)
            return
        if draw < 0.3:
            machine = f"T-{self.opened % len(self.w.store.machines)}"
            asked = Asked((), "pos", "", "", terminal=machine, agreement_id=agreement_id)
            sale = partial(terminals.create, desk, principal=PLEDGER, key=key, asked=asked)
            self.p.opened(sale, self.p.at_the_terminal)
            return
        gateway = self.w.gateways[self.opened % len(self.w.gateways)]
        asked = Asked((), "gateway", gateway.name, "", agreement_id=agreement_id)
        page: Callable[[], Opened] = partial(create, desk, principal=PLEDGER, key=key, asked=asked)
        kind = self.w.faults.at("payer")
        self.p.opened(page, lambda payment: self.p.at_the_page(payment, gateway, kind))

    def _pays_the_year_alone(self, agreement: Agreement) -> None:
        """Somebody wants to pay a bound year as if there were no agreement: nobody can."""
        quote = self.w.store.quotes[agreement.assessment_id]
        fresh = self.p.quote(quote.vehicle_id, quote.municipality)
        gateway = self.w.gateways[0]
        asked = Asked((fresh.assessment_id,), "gateway", gateway.name, "")
        key = f"y{fresh.assessment_id}"
        open_it = partial(create, self.w.desk, principal=PLEDGER, key=key, asked=asked)
        self.p.opened(open_it, lambda payment: self.p.at_the_page(payment, gateway, ""))
