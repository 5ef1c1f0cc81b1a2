"""A gateway's callback: untrusted words that may start a verification, and never more than that.

Every callback that names one of our payments and its token is kept as an event. Those that the table of states
knows no transition for change nothing: the outcome they get is that of the payment as it stands.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from avarez.errors import AvarezError, ChannelUnavailable, OutcomeUnknown, TransactionRefused
from avarez.ids import is_id
from functions.pay.gateways.port import Claim, Gateway
from functions.pay.payments import verification
from functions.pay.payments.joint import parts
from functions.pay.payments.ports import Desk
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.states import Occurrence, Status

SOURCE = "callback"
_ATTEMPTS_MAX = 4


def receive(desk: Desk, *, gateway_name: str, fields: Mapping[str, str]) -> Payment | None:
    """The payment that the callback was about, as it stands afterwards; None when it proves to know none.

    The gateway is asked once at most, so that a browser waits no longer than one call may take. A payment left
    `verifying` (the gateway did not answer in time) is handed to the queue.

    Raises:
        ServiceBusy: the payment could not even be read.
    """
    try:
        gateway = desk.gateways.get(gateway_name)
    except ChannelUnavailable:
        return None
    claim = gateway.read_callback(fields)
    if claim is None or not is_id("py", claim.order_id):
        return None
    payment = desk.store.payment(claim.order_id)
    if payment is None or payment.gateway != gateway_name:
        return None
    if payment.token and claim.token is not None and not _same(payment.token, claim.token):
        desk.report("callback_refused")
        _record(desk, payment, Occurrence.CALLBACK_REFUSED, {"reason": "token"})
        return None
    for _ in range(_ATTEMPTS_MAX):
        try:
            payment = _apply(desk, gateway, payment, claim)
            break
        except TransactionRefused:
            payment = desk.store.payment(claim.order_id) or payment
        except AvarezError:
            # The store or the queue is busy. What is written stands, and the sweep finishes it.
            desk.report("callback_unfinished")
            return payment
    if payment.status is Status.VERIFYING:
        desk.queue.send({"payment_id": payment.payment_id})
    return _settle_parts(desk, payment)


def _settle_parts(desk: Desk, payment: Payment) -> Payment:
    """A small joint payment that was confirmed is settled before its payer is back; the queue does a large one."""
    if not payment.parts or payment.parts > parts.CHUNK_MEMBERS:
        return payment
    try:
        return parts.advance(desk, payment, chunks_max=1)
    except AvarezError:
        desk.report("callback_unfinished")
        return payment


def _apply(desk: Desk, gateway: Gateway, payment: Payment, claim: Claim) -> Payment:
    """One attempt; raises `TransactionRefused` when somebody else moved the payment meanwhile."""
    match payment.status, claim.state:
        case ((Status.PENDING | Status.EXPIRED), "paid") if payment.token:
            return _claimed_paid(desk, gateway, payment, claim)
        case Status.PENDING, "cancelled":
            return _claimed_cancelled(desk, gateway, payment, claim)
        case Status.VERIFYING, _:
            _record(desk, payment, Occurrence.CALLBACK_REPEATED, _note(claim))
            return _while_verifying(desk, gateway, payment, claim)
        case Status.CREATED, _:
            # Parked until the page is known: `apply_parked`.
            return _record(desk, payment, Occurrence.CALLBACK_EARLY, _note(claim) | _parking(claim))
        case Status.PENDING, _:
            return _record(desk, payment, Occurrence.CALLBACK_UNPROVEN, _note(claim))
        case _:
            same = claim.state == "paid" and claim.reference == payment.reference
            occurrence = Occurrence.CALLBACK_REPEATED if same else Occurrence.CALLBACK_LATE
            return _record(desk, payment, occurrence, _note(claim))


def apply_parked(desk: Desk, gateway: Gateway, payment: Payment) -> Payment:
    """The payment after what callbacks said of its page before that page was known to us, oldest first.

    Only claims that it was paid are taken up: everything else the gateway or the window tells. Once anything was
    verified, nothing is parked any more.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    for event in desk.store.events(payment) if payment.verify_starts == 0 else ():
        early = event.occurrence is Occurrence.CALLBACK_EARLY and payment.status is Status.PENDING
        claim = _parked(payment, event.note) if early else None
        if claim is not None:
            payment = _claimed_paid(desk, gateway, payment, claim)
    return payment


def _parking(claim: Claim) -> dict[str, str]:
    """What a parked claim must keep besides its note: which page it was about, and whether it named an amount."""
    page = "" if claim.token is None else _page(claim.token)
    return {"page": page, "names_amount": "yes" if claim.names_amount else "no"}


def _parked(payment: Payment, note: Mapping[str, str]) -> Claim | None:
    """The claim again; None where it was about another page."""
    if note["page"] not in ("", _page(payment.token)) or note["state"] != "paid":
        return None
    told = note.get("claimed_amount_rial")
    return Claim(
        payment.payment_id,
        payment.token,
        "paid",
        note["reference"],
        None if told is None else int(told),
        names_amount=note["names_amount"] == "yes",
    )


def _page(token: str) -> str:
    """A name for a page that opens nothing."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _claimed_paid(desk: Desk, gateway: Gateway, payment: Payment, claim: Claim) -> Payment:
    """Begins and runs a verification, while the gateway's window may still be open."""
    return verification.resolve(desk, gateway, _begin(desk, payment, claim), source=SOURCE)


def _while_verifying(desk: Desk, gateway: Gateway, payment: Payment, claim: Claim) -> Payment:
    """Verifies what is begun; a claim of another reference is begun next, and verified by the queue.

    Otherwise an invented reference, told while the gateway is silent, would keep the true one from being heard.
    """
    after = verification.resolve(desk, gateway, payment, source=SOURCE)
    if after.status is not Status.PENDING or claim.state != "paid" or claim.reference == payment.reference:
        return after
    try:
        return _begin(desk, after, claim)
    except TransactionRefused:
        return desk.store.payment(payment.payment_id) or after


def _begin(desk: Desk, payment: Payment, claim: Claim) -> Payment:
    """The payment, verifying what the callback claims, unless it is too late for that."""
    if desk.clock.now() > payment.verify_until_at or not verification.may_begin(payment):
        desk.report("callback_late")
        return _record(desk, payment, Occurrence.CALLBACK_LATE, _note(claim))
    if payment.verify_starts >= verification.VERIFY_STARTS_MAX:
        return _record(desk, payment, Occurrence.CALLBACK_UNPROVEN, _note(claim))
    differs = claim.names_amount and claim.amount_rial != payment.amount_rial
    suspicion = verification.AMOUNT_IN_CALLBACK if differs else ""
    return verification.begin(desk, payment, reference=claim.reference, suspicion=suspicion, source=SOURCE)


def _claimed_cancelled(desk: Desk, gateway: Gateway, payment: Payment, claim: Claim) -> Payment:
    """Believed when the gateway says so itself; what it cannot prove changes nothing."""
    if gateway.can_inquire_without_callback:
        try:
            inquiry = gateway.inquire(token=payment.token, order_id=payment.payment_id)
        except OutcomeUnknown:
            return _record(desk, payment, Occurrence.CALLBACK_UNPROVEN, _note(claim))
        try:
            if inquiry.state == "cancelled":
                return verification.close(desk, payment, Occurrence.CANCELLED_AT_GATEWAY, SOURCE)
            if inquiry.state == "paid":
                # The queue verifies: one callback waits for one call of the gateway only.
                return verification.begin(
                    desk,
                    payment,
                    reference=inquiry.reference,
                    suspicion=verification.suspicion_of(inquiry, payment),
                    source=SOURCE,
                )
        except TransactionRefused:
            return desk.store.payment(payment.payment_id) or payment
    return _record(desk, payment, Occurrence.CALLBACK_UNPROVEN, _note(claim))


def _same(token: str, claimed: str) -> bool:
    """Compared in constant time, as bytes: the comparison of texts fails on anything but ASCII."""
    return hmac.compare_digest(token.encode(), claimed.encode("utf-8", "surrogatepass"))


def _note(claim: Claim) -> dict[str, str]:
    amount = {} if claim.amount_rial is None else {"claimed_amount_rial": str(claim.amount_rial)}
    return {"state": claim.state, "reference": claim.reference, **amount}


def _record(desk: Desk, payment: Payment, occurrence: Occurrence, note: Mapping[str, str]) -> Payment:
    event = Event(occurrence, SOURCE, desk.clock.now(), payment.status, payment.status, note)
    if not desk.store.record(payment, event):
        desk.report("event_dropped")
    return payment
