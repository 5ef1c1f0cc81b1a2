"""Payments in memory, by the same rules as in DynamoDB: what the simulator and the unit tests write to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from avarez import keys
from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import (
    BillOpen,
    DutyByInstalments,
    DutyLocked,
    DutyPaid,
    ReferenceReused,
    ServiceBusy,
    TransactionRefused,
)
from avarez.ids import new_id
from avarez.journal import JournalEntry
from functions.pay.rules import announcing
from functions.pay.rules.bills import BillTerms
from functions.pay.rules.fees import Fee
from functions.pay.rules.instalments import Agreement, AgreementStatus
from functions.pay.rules.leases import BOUND, LEASED, PAID, VOID, holds, may_take
from functions.pay.rules.records import Chunk, ChunkState, Event, Member, OpenRow, Payment, Quote, Replay
from functions.pay.rules.refunds import Found, Refund, left_of
from functions.pay.rules.terminals import Closing, Sale, Terminal
from simulation.chain_store import MemoryChain
from simulation.endpoint_store import MemoryEndpoints

YEARS_MAX = 40
"""A certificate that takes another one's place has a sign more; each time a year at least goes back."""
AFTER_ALL_IDS = "~"
"""Sorts behind every id."""


class Crash(BaseException):
    """The process died here."""


class MemoryStore(MemoryChain, MemoryEndpoints):
    """The store's rules over dictionaries; `tests/contract` holds it to the same suite as DynamoDB's."""

    def __init__(self) -> None:
        MemoryChain.__init__(self)
        MemoryEndpoints.__init__(self)
        self.quotes: dict[str, Quote] = {}
        self.fees: dict[str, Fee] = {}
        self.payments: dict[str, Payment] = {}
        self.history: dict[str, list[Event]] = {}
        self.replays: dict[tuple[str, str, str], Replay] = {}
        self.duties: dict[tuple[str, int], dict[str, Any]] = {}
        self.references: dict[tuple[str, str], str] = {}
        self.open_rows: list[list[tuple[str, str]]] = [[] for _ in range(keys.SHARDS)]
        self.due_of: dict[str, str] = {}
        self.outbox: dict[str, str] = {}
        self.certificates: dict[str, str] = {}
        self.bills: dict[tuple[str, str], str] = {}
        self.open_bills: dict[tuple[str, str], tuple[str, str]] = {}
        self.terms: dict[str, BillTerms] = {}
        self.sold: defaultdict[str, list[str]] = defaultdict(list)
        self.machines: dict[str, Terminal] = {}
        self.closings: dict[tuple[str, date], Closing] = {}
        self.variances: set[str] = set()
        self.orders: dict[tuple[str, str], Sequence[str]] = {}
        self.refunds: dict[str, Refund] = {}
        self.of_payment: dict[tuple[str, int], Sequence[Member]] = {}
        self.chunk_of: dict[tuple[str, int], Chunk] = {}
        self.agreements: dict[str, Agreement] = {}
        self.crash_after_writes: int | None = None
        self.busy: int = 0

    def _admit(self) -> None:
        """A busy store refuses before it writes anything."""
        if self.busy > 0:
            self.busy -= 1
            raise ServiceBusy(retry_after_s=1)

    def _wrote(self) -> None:
        if self.crash_after_writes is not None:
            self.crash_after_writes -= 1
            if self.crash_after_writes < 0:
                self.crash_after_writes = None
                raise Crash

    def quote(self, assessment_id: str) -> Quote | None:
        return self.quotes.get(assessment_id)

    def fee(self, municipality: str) -> Fee:
        return self.fees.get(municipality, Fee())

    def gateway_order(self, municipality: str, office: str) -> Sequence[str]:
        return self.orders.get((municipality, office), self.orders.get((municipality, ""), ()))

    def payment(self, payment_id: str) -> Payment | None:
        return self.payments.get(payment_id)

    def opened_by_office(self, office: str, day: date, *, before: str, limit: int) -> Sequence[Payment]:
        theirs = [
            payment
            for payment in self.payments.values()
            if payment.office == office
            and not payment.parent_id
            and tehran_today(payment.created_at) == day
            and (not before or payment.payment_id < before)
        ]
        return sorted(theirs, key=lambda payment: payment.payment_id, reverse=True)[:limit]

    def events(self, payment: Payment) -> Sequence[Event]:
        return list(self.history.get(payment.payment_id, ()))

    def bill(self, bill_id: str, payment_code: str) -> Payment | None:
        payment_id = self.bills.get((bill_id, payment_code))
        return None if payment_id is None else self.payments[payment_id]

    def bill_terms(self, municipality: str) -> BillTerms | None:
        return self.terms.get(municipality)

    def settle_bill(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry,
        outbox_event_id: str,
        found: Sequence[Found],
    ) -> None:
        self._expect(before)
        if (after.gateway, after.reference) in self.references:
            raise ReferenceReused()
        free = partial(may_take, payment_id="", now_text=to_rfc3339(event.at))
        self._check_leases(after, event.at, may=free)
        self.references[after.gateway, after.reference] = after.payment_id
        self._paid(after, entry, outbox_event_id)
        self._bill_closed(after)
        for of in found:
            self._found(of)
        self._move(before, after, event)
        self._wrote()

    def _paid(self, after: Payment, entry: JournalEntry, outbox_event_id: str) -> None:
        before = self._payable(after) if after.agreement_id else None
        for claim in after.claims:
            self.duties[claim] = {"status": PAID, "payment_id": after.payment_id}
        if before is not None:
            self._move_agreement(before, before.with_paid(after.instalment))
            for part in after.completes:
                assert self.duties[after.vehicle_id, part.year]["status"] == BOUND  # noqa: S101 - the store's own rule
                self.duties[after.vehicle_id, part.year] = {"status": PAID, "payment_id": after.payment_id}
        self.book(entry, after)
        if after.certificate_id:
            self.outbox[outbox_event_id] = after.payment_id
            self.certificates[after.certificate_id] = after.payment_id

    # -- agreements ----------------------------------------------------------------------------------

    def agreement(self, agreement_id: str) -> Agreement | None:
        return self.agreements.get(agreement_id)

    def open_agreement(self, agreement: Agreement) -> None:
        self._admit()
        if agreement.agreement_id in self.agreements:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.agreements[agreement.agreement_id] = agreement
        self._wrote()

    def agreements_of(self, municipality: str, *, before: str, limit: int) -> Sequence[Agreement]:
        theirs = [of for of in self.agreements.values() if of.municipality == municipality]
        asked = [of for of in theirs if not before or of.agreement_id < before]
        return sorted(asked, key=lambda of: of.agreement_id, reverse=True)[:limit]

    def reject_agreement(self, before: Agreement, after: Agreement) -> None:
        self._expect_agreement(before)
        self._move_agreement(before, after)
        self._wrote()

    def start_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        self._expect_agreement(before)
        standing = self.open_bills.get((after.vehicle_id, after.municipality))
        if standing is not None and standing[1] >= to_rfc3339(now):
            raise BillOpen(extra={"payment_id": standing[0], "expires_at": standing[1]})
        claims = [(after.vehicle_id, part.year) for part in after.years]
        free = partial(may_take, payment_id="", now_text=to_rfc3339(now))
        self._refuse_blocked([self.duties.get(claim) for claim in claims], free, after.requested_by)
        for claim in claims:
            self.duties[claim] = {"status": BOUND, "payment_id": after.agreement_id}
        self._move_agreement(before, after)
        self._wrote()

    def break_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        self._expect_agreement(before)
        part = after.agreement_id, before.paid_parts + 1
        if not may_take(self.duties.get(part), "", to_rfc3339(now)):
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.duties[part] = {"status": VOID, "payment_id": after.agreement_id}
        for year in before.open_years:
            del self.duties[after.vehicle_id, year.year]
        self._move_agreement(before, after)
        self._wrote()

    def _part_given_back(self, payment: Payment, because: str, now: datetime) -> None:
        before = self.agreements[payment.agreement_id]
        following = self.duties.get((payment.agreement_id, payment.instalment + 1))
        if before.paid_parts != payment.instalment:
            raise DutyPaid()
        after = before.without_paid(payment.instalment)
        runs = after.status is AgreementStatus.IN_FORCE
        if runs and not may_take(following, "", to_rfc3339(now)):
            raise TransactionRefused(["ConditionalCheckFailed"])
        for claim in payment.claims:
            del self.duties[claim]
            if not runs:
                self.duties[claim] = {"status": VOID, "payment_id": payment.agreement_id}
        for part in payment.completes:
            del self.duties[payment.vehicle_id, part.year]
            if runs:
                self.duties[payment.vehicle_id, part.year] = {"status": BOUND, "payment_id": payment.agreement_id}
        if self.certificates.pop(payment.certificate_id, None) is not None:
            self._revoke(payment, payment.certificate_id, because, now)
        self._move_agreement(before, after)

    def _revoke(self, payment: Payment, certificate_id: str, because: str, now: datetime, new: str = "") -> None:
        event_id = new_id("ev", now)
        told = announcing.of_certificate(
            payment, certificate_id, superseded_by=new, because=because, event_id=event_id, now=now
        )
        self.announce(told)

    def _expect_agreement(self, before: Agreement) -> None:
        self._admit()
        if self.agreements[before.agreement_id].version != before.version:
            raise TransactionRefused(["ConditionalCheckFailed"])

    def _move_agreement(self, before: Agreement, after: Agreement) -> None:
        self.agreements[after.agreement_id] = after
        self._reopen(after.agreement_id, after.due_text)

    def put_found(self, found: Found) -> None:
        self._admit()
        reference = found.payment.gateway, found.payment.reference
        if reference in self.references:
            raise ReferenceReused()
        self.references[reference] = found.payment.payment_id
        self._found(found)
        self._wrote()

    def _found(self, found: Found) -> None:
        self._move(None, found.payment, found.event)
        self.book(found.entry, found.payment, found.refund)
        if found.refund is not None:
            self._put_refund(None, found.refund)

    def _bill_closed(self, payment: Payment) -> None:
        key = payment.vehicle_id, payment.municipality
        if self.open_bills.get(key, ("", ""))[0] == payment.payment_id:
            del self.open_bills[key]

    def _check_bill(self, payment: Payment, now: datetime) -> None:
        standing = self.open_bills.get((payment.vehicle_id, payment.municipality))
        if standing is not None and standing[1] >= to_rfc3339(now):
            raise BillOpen(extra={"payment_id": standing[0], "expires_at": standing[1]})

    def replay(self, caller: str, route: str, key: str) -> Replay | None:
        return self.replays.get((caller, route, key))

    def create(self, payment: Payment, event: Event, replay: Replay) -> None:
        if (replay.caller, replay.route, replay.key) in self.replays:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self._check_bill(payment, event.at)
        self._check_leases(payment, event.at)
        if payment.channel == "bill":
            if (payment.bill_id, payment.payment_code) in self.bills:
                raise TransactionRefused(["ConditionalCheckFailed"])
            self.bills[payment.bill_id, payment.payment_code] = payment.payment_id
            lapses_at = to_rfc3339(payment.expires_at)
            self.open_bills[payment.vehicle_id, payment.municipality] = payment.payment_id, lapses_at
        else:
            self._lease(payment, confirmed=False)
        if payment.terminal:
            insort(self.sold[payment.terminal], payment.payment_id)
        self.replays[replay.caller, replay.route, replay.key] = replay
        self._move(None, payment, event)
        self._wrote()

    def members(self, payment: Payment, number: int) -> Sequence[Member]:
        return self.of_payment[payment.payment_id, number]

    def chunks(self, payment: Payment) -> Sequence[Chunk]:
        found: list[Chunk] = []
        while (chunk := self.chunk_of.get((payment.payment_id, len(found)))) is not None:
            found.append(chunk)
        return found

    def create_members(self, payment: Payment, members: Sequence[Sequence[Member]]) -> None:
        for number, chunk in enumerate(members):
            self.of_payment[payment.payment_id, number] = chunk
            self.chunk_of[payment.payment_id, number] = Chunk(number)
        self._wrote()

    def lease_part(self, payment: Payment, part: Payment, chunk: Chunk, event: Event) -> None:
        self._admit()
        stands = self.chunk_of[payment.payment_id, chunk.number]
        if stands.state is not ChunkState.WAITING or part.payment_id in self.payments:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self._check_bill(part, event.at)
        self._check_leases(part, event.at)
        self._move(None, part, event)
        self._lease(part, confirmed=True)
        self._wrote()

    def move_chunk(self, payment: Payment, before: Chunk, after: Chunk) -> None:
        self._admit()
        if self.chunk_of[payment.payment_id, before.number].state is not before.state:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.chunk_of[payment.payment_id, before.number] = after
        self._wrote()

    def holds_duties(self, payment: Payment) -> bool:
        return all(holds(holder, payment.payment_id) for holder in self._holders(payment))

    def advance(self, before: Payment, after: Payment, event: Event) -> None:
        self._expect(before)
        self._move(before, after, event)
        self._wrote()

    def begin_verifying(self, before: Payment, after: Payment, event: Event) -> None:
        self._expect(before)
        if self.references.get((after.gateway, after.reference), after.payment_id) != after.payment_id:
            raise ReferenceReused()
        self._check_leases(after, event.at)
        self.references[after.gateway, after.reference] = after.payment_id
        self._lease(after, confirmed=True)
        self._move(before, after, event)
        self._wrote()

    def resume_waiting(self, before: Payment, after: Payment, event: Event) -> None:
        self._expect(before)
        if not all(holds(holder, before.payment_id) for holder in self._holders(before)):
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.references.pop((before.gateway, before.reference), None)
        self._lease(after, confirmed=False)
        self._move(before, after, event)
        self._wrote()

    def close(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry | None = None,
        refund: Refund | None = None,
    ) -> None:
        self._expect(before)
        for claim in before.claims:
            if holds(self.duties.get(claim), before.payment_id):
                del self.duties[claim]
        if entry is not None:
            self.book(entry, after, refund)
        if refund is not None:
            self._put_refund(None, refund)
        self._bill_closed(before)
        self._move(before, after, event)
        self._wrote()

    # -- terminals -----------------------------------------------------------------------------------

    def terminal(self, terminal_id: str) -> Terminal | None:
        return self.machines.get(terminal_id)

    def register(self, terminal: Terminal) -> None:
        self.machines[terminal.terminal_id] = terminal

    def terminals_of(self, office: str) -> Sequence[Terminal]:
        return [machine for _, machine in sorted(self.machines.items()) if machine.office == office]

    def sales(self, terminal_id: str, *, after: str) -> Sequence[Sale]:
        sold = self.sold[terminal_id]
        return [Sale(of) for of in sold[bisect_right(sold, after) :]]

    def closing(self, terminal_id: str, day: date) -> Closing | None:
        return self.closings.get((terminal_id, day))

    def last_closing(self, terminal_id: str) -> Closing | None:
        found = [closing for (terminal, _), closing in sorted(self.closings.items()) if terminal == terminal_id]
        return found[-1] if found else None

    def begin_closing(self, closing: Closing) -> None:
        if (closing.terminal_id, closing.day) in self.closings:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.closings[closing.terminal_id, closing.day] = closing
        self._wrote()

    def finish_closing(self, before: Closing, after: Closing) -> None:
        if self.closings[after.terminal_id, after.day].done:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.closings[after.terminal_id, after.day] = after
        machine = self.machines[after.terminal_id]
        self.machines[after.terminal_id] = replace(machine, last_payment_id=after.last_payment_id)
        self._wrote()

    def book_variance(self, closing: Closing, payment: Payment, entry: JournalEntry) -> None:
        if payment.payment_id not in self.variances:
            self.variances.add(payment.payment_id)
            self.book(entry, payment)
        self._wrote()

    # -- refunds -------------------------------------------------------------------------------------

    def refund(self, refund_id: str) -> Refund | None:
        return self.refunds.get(refund_id)

    def of_city(self, municipality: str, *, after: str, limit: int) -> Sequence[Refund]:
        found = [of for _, of in sorted(self.refunds.items()) if of.municipality == municipality]
        return [of for of in found if of.refund_id > after][:limit]

    def request(self, refund: Refund, replay: Replay) -> None:
        if (replay.caller, replay.route, replay.key) in self.replays:
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.replays[replay.caller, replay.route, replay.key] = replay
        self._put_refund(None, refund)
        self._wrote()

    def approve(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event,
        entry: JournalEntry,
    ) -> None:
        self._expect(payment)
        self._expect_refund(before)
        if not before.of_suspense and payment.agreement_id:
            self._part_given_back(payment, after.refund_id, event.at)
        elif not before.of_suspense:
            left = {part.year: part.amount_rial for part in left_of(payment_after)}
            for part in left_of(payment):
                if part.year not in left:
                    del self.duties[payment.vehicle_id, part.year]
            names = (payment.certificate_id + "+" * times for times in range(YEARS_MAX))
            old = next(name for name in names if name in self.certificates)
            del self.certificates[old]
            new = f"{old}+" if left else ""
            if left:
                self.certificates[new] = payment.payment_id
            self._revoke(payment, old, after.refund_id, event.at, new)
        self.book(entry, payment_after, after)
        self._put_refund(before, after)
        self._move(payment, payment_after, event)
        self._wrote()

    def move(self, before: Refund, after: Refund) -> None:
        self._expect_refund(before)
        self._put_refund(before, after)
        self._wrote()

    def finish(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event | None,
        entry: JournalEntry,
    ) -> None:
        self._expect_refund(before)
        if event is not None:
            self._expect(payment)
            self._move(payment, payment_after, event)
        self.book(entry, payment_after, after)
        self._put_refund(before, after)
        self._wrote()

    def _expect_refund(self, before: Refund) -> None:
        self._admit()
        current = self.refunds[before.refund_id]
        if (current.version, current.status) != (before.version, before.status):
            raise TransactionRefused(["ConditionalCheckFailed"])

    def _put_refund(self, before: Refund | None, after: Refund) -> None:
        self.refunds[after.refund_id] = after
        self._reopen(after.refund_id, to_rfc3339(after.open_due_at) if after.open_due_at else "")

    def settle(
        self, before: Payment, after: Payment, event: Event, entry: JournalEntry, outbox_event_id: str
    ) -> None:
        self._expect(before)
        if not all(holds(holder, before.payment_id) for holder in self._holders(before)):
            raise TransactionRefused(["ConditionalCheckFailed"])
        self._paid(after, entry, outbox_event_id)
        self._move(before, after, event)
        self._wrote()

    def postpone(self, before: Payment, after: Payment) -> None:
        self._expect(before)
        self._move(before, after, None)
        self._wrote()

    def record(self, payment: Payment, event: Event) -> bool:
        self.history.setdefault(payment.payment_id, []).append(event)
        self._wrote()
        return True

    def due(self, shard: int, now: datetime, limit: int) -> Sequence[OpenRow]:
        upto = to_rfc3339(now)
        rows = self.open_rows[shard]
        due = rows[: min(limit, bisect_left(rows, (upto, AFTER_ALL_IDS)))]
        return [OpenRow(payment_id, due_at) for due_at, payment_id in due]

    @property
    def opened(self) -> set[tuple[str, str]]:
        """Everything that is open: when it is due, and what it is."""
        return {row for rows in self.open_rows for row in rows}

    def forget(self, row: OpenRow) -> None:
        if self.due_of.get(row.payment_id) == row.due_at:
            self._reopen(row.payment_id, "")

    def _reopen(self, of: str, due_at: str) -> None:
        """Its one row among what is open moves to this instant, or goes where there is none."""
        stands = self.due_of.pop(of, "")
        if due_at:
            self.due_of[of] = due_at
        if stands == due_at:
            return
        rows = self.open_rows[keys.shard_of(of)]
        if stands:
            del rows[bisect_left(rows, (stands, of))]
        if due_at:
            insort(rows, (due_at, of))

    def _expect(self, before: Payment) -> None:
        self._admit()
        current = self.payments[before.payment_id]
        if current.version != before.version or current.status is not before.status:
            raise TransactionRefused(["ConditionalCheckFailed"])

    def _move(self, before: Payment | None, after: Payment, event: Event | None) -> None:
        self.payments[after.payment_id] = after
        if event is not None:
            self.history.setdefault(after.payment_id, []).append(event)
        if before is None or before.open_due_at is not after.open_due_at:
            self._reopen(after.payment_id, to_rfc3339(after.open_due_at) if after.open_due_at else "")

    def _holders(self, payment: Payment) -> list[dict[str, Any] | None]:
        return [self.duties.get(claim) for claim in payment.claims]

    def _check_leases(
        self, payment: Payment, now: datetime, may: Callable[[dict[str, Any]], bool] | None = None
    ) -> None:
        allowed = may or partial(may_take, payment_id=payment.payment_id, now_text=to_rfc3339(now))
        self._refuse_blocked(self._holders(payment), allowed, payment.created_by)
        if payment.agreement_id:
            self._payable(payment)

    def _payable(self, payment: Payment) -> Agreement:
        agreement = self.agreements[payment.agreement_id]
        if agreement.status is not AgreementStatus.IN_FORCE or agreement.paid_parts != payment.instalment - 1:
            raise DutyPaid()
        return agreement

    def _refuse_blocked(
        self,
        holders: Sequence[dict[str, Any] | None],
        allowed: Callable[[dict[str, Any]], bool],
        created_by: str,
    ) -> None:
        blocking = [holder for holder in holders if holder is not None and not allowed(holder)]
        if any(holder["status"] in (PAID, VOID) for holder in blocking):
            raise DutyPaid()
        if bound := [holder for holder in blocking if holder["status"] == BOUND]:
            raise DutyByInstalments(extra={"agreement_id": bound[0]["payment_id"]})
        if blocking:
            mine = {h["payment_id"] for h in blocking if h["created_by"] == created_by}
            until = max(str(holder["lease_until_at"]) for holder in blocking)
            extra = {"locked_until_at": until, **({"payment_id": mine.pop()} if len(mine) == 1 else {})}
            raise DutyLocked(extra=extra)

    def _lease(self, payment: Payment, *, confirmed: bool) -> None:
        confirmed = confirmed or payment.holds_for_good
        until = to_rfc3339(payment.verify_until_at if confirmed else payment.expires_at)
        for claim in payment.claims:
            self.duties[claim] = {
                "status": LEASED,
                "payment_id": payment.payment_id,
                "lease_until_at": until,
                "created_by": payment.created_by,
                **({"confirmed": True} if confirmed else {}),
            }
