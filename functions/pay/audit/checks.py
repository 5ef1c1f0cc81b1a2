"""What must hold of a day's journal and of what it records. Pure: everything is read beforehand.

The numbers are those of the simulator's invariants (`docs/proofs.md`); what needs others' books (I2, I6) is
taken from the reconciliation's results; of I7 and I10 the day's close is held to the chain.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from avarez.canonical import content_hash
from avarez.dynamo import Item
from avarez.journal import JournalEntry, members_of
from functions.pay.audit.chain import Place, Run, chained
from functions.pay.audit.settled import ClosedDay, partitioned, sums_up
from functions.pay.rules.ledger import SUSPENSE
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import certified_claims, held_claims
from functions.pay.rules.states import Status
from functions.pay.three_way.matching import PATIENCE, State, age_days

CERTIFICATE_WITHIN = timedelta(minutes=5)
"""A paid duty without a certificate after that is something to look at."""
TAKEN = frozenset({Status.SETTLED, Status.REFUNDING, Status.REFUNDED})


SETTLEMENTS = frozenset({"payment_settled", "suspense_matched"})
"""Kinds of entries that pay a duty, from a channel or from money in suspense."""
NOT_OURS = frozenset({State.ONLY_THEIRS, State.AWAITS_RETURN})
"""Money that others speak of and our books do not have."""


@dataclass(frozen=True, slots=True)
class Book:
    """A city's journal of one day, with the payments, duties and certificates that it is about."""

    municipality: str
    day: str
    entries: Sequence[JournalEntry]
    payments: Mapping[str, Payment]
    duties: Mapping[tuple[str, int], Item]
    certificates: Mapping[str, Item]
    now: datetime
    reconciled: Sequence[Item]
    places: Mapping[str, Place]
    run: Run
    closed: ClosedDay | None = None
    carried: int = 0
    """Up to this place the chain was carried over: what its entries record is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that does not hold: which invariant, of what, and how."""

    invariant: str
    of: str
    how: str


def is_carried(entry: JournalEntry, places: Mapping[str, Place], carried: int) -> bool:
    """Whether the entry came with the city's books, without its payment, its duties and its certificate."""
    place = places.get(entry.journal_id)
    return place is not None and place.sequence <= carried


def check(book: Book) -> list[Broken]:
    """All that does not hold; an empty list is what one wants."""
    return [broken for rule in RULES for broken in rule(book)]


def balances(entries: Iterable[JournalEntry]) -> dict[str, tuple[int, int]]:
    """Debits and credits of each account, by name."""
    debited: Counter[str] = Counter()
    credited: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings:
            debited[posting.account] += posting.debit_rial
            credited[posting.account] += posting.credit_rial
    return {account: (debited[account], credited[account]) for account in sorted(set(debited) | set(credited))}


def balanced(book: Book) -> Iterator[Broken]:
    """I1: the postings of each entry add up to nothing."""
    for entry in book.entries:
        difference_rial = sum(posting.debit_rial - posting.credit_rial for posting in entry.postings)
        if difference_rial:
            yield Broken("I1", entry.journal_id, f"debits − credits = {difference_rial}")


def certificate_is_paid(book: Book) -> Iterator[Broken]:
    """I4: every duty that a settled payment still holds is paid by it, and certified soon."""
    for payment in _settled(book):
        for claim in certified_claims(payment):
            duty = book.duties.get(claim)
            if duty is None or duty.get("status") != "paid" or duty.get("payment_id") != payment.payment_id:
                yield Broken("I4", payment.payment_id, f"the duty of {claim[1]} is not paid by it")
        if not payment.certified:
            continue
        certificate = book.certificates.get(payment.certificate_id)
        if certificate is None:
            yield Broken("I4", payment.payment_id, "its certificate does not exist")
        elif certificate["status"] == "preparing" and book.now - _at(payment) > CERTIFICATE_WITHIN:
            yield Broken("I4", payment.payment_id, "its certificate is still being prepared")


def applied_once(book: Book) -> Iterator[Broken]:
    """I5: a payment takes money in one entry, and no duty is paid by two payments."""
    taken = Counter(entry.payment_id for entry in book.entries if not entry.cause)
    yield from (
        Broken("I5", payment_id, f"taken {count} times") for payment_id, count in taken.items() if count > 1
    )
    held: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for payment in _settled(book):
        for claim in held_claims(payment):
            held[claim].append(payment.payment_id)
    for (_, year), payments in held.items():
        if len(payments) > 1:
            yield Broken("I5", payments[0], f"the duty of {year} is paid by {len(payments)} payments")


def cities_get_their_own(book: Book) -> Iterator[Broken]:
    """I7: no entry of this book credits another city."""
    for entry in book.entries:
        for posting in entry.postings:
            kind, _, city = posting.account.partition(":")
            if kind in ("municipality_payable", "municipality_rounding") and city != book.municipality:
                yield Broken("I7", entry.journal_id, f"touches {posting.account}")


def applied_is_own_amount(book: Book) -> Iterator[Broken]:
    """I8: a settlement takes exactly the payment's own amount, and the payment says that it is settled."""
    for entry in book.entries:
        if entry.kind not in SETTLEMENTS or is_carried(entry, book.places, book.carried):
            continue
        payment = book.payments.get(entry.payment_id)
        if payment is None or payment.status not in TAKEN:
            yield Broken("I8", entry.payment_id, "booked, but the payment does not say so")
            continue
        taken_rial = sum(posting.debit_rial for posting in entry.postings if _is_source(posting.account))
        if taken_rial != payment.amount_rial:
            yield Broken("I8", entry.payment_id, f"took {taken_rial} of {payment.amount_rial}")


def never_changed(book: Book) -> Iterator[Broken]:
    """I12: each entry still has the content that its hash was made of."""
    for entry in book.entries:
        if content_hash(members_of(entry)) != entry.content_hash:
            yield Broken("I12", entry.journal_id, "its content is not what its hash says")


def stands_in_the_chain(book: Book) -> Iterator[Broken]:
    """I12: the chain is unbroken, and it and the entries say the same of each other."""
    told = chained(day=book.day, entries=book.entries, places=book.places, run=book.run, now=book.now)
    yield from (Broken("I12", of, how) for of, how in told)


def lines_partition_credits(book: Book) -> Iterator[Broken]:
    """I10: the day's close follows the one before it, and each credit of its range is one line of it."""
    if book.closed is not None:
        yield from (Broken("I10", book.closed.settlement.settlement_id, how) for how in partitioned(book.closed))


def close_is_what_the_city_got(book: Book) -> Iterator[Broken]:
    """I7: what the city was credited in the day's range is what its close says."""
    if book.closed is not None:
        yield from (Broken("I7", book.closed.settlement.settlement_id, how) for how in sums_up(book.closed))


def others_say_the_same(book: Book) -> Iterator[Broken]:
    """I2: what a gateway, a bank or a terminal's acquirer told of the day is what our clearing holds."""
    for name, state, open_rial in _open_between(book):
        if state not in NOT_OURS:
            yield Broken("I2", name, f"{state}: {open_rial} rial")


def every_reference_ends(book: Book) -> Iterator[Broken]:
    """I6: every reference that a gateway told of is applied, in suspense, given back, or went back by itself."""
    for name, state, open_rial in _open_between(book):
        if state in NOT_OURS:
            yield Broken("I6", name, f"{state}: {open_rial} rial")


def _open_between(book: Book) -> Iterator[tuple[str, str, int]]:
    """What the last run of the reconciliation left open, once it should have been explained."""
    age = age_days(date.fromisoformat(book.day), book.now)
    for row in book.reconciled:
        for one in row["open"]:
            state = State(one["state"])
            mine = one["municipality"] == book.municipality  # the country's result has every city's
            if mine and timedelta(days=age) > PATIENCE.get(state, timedelta(0)):
                name = f"{row['operator']} {one['reference']}"
                yield name, state.value, int(one["open_rial"])


def _is_source(account: str) -> bool:
    return "_clearing:" in account or account == SUSPENSE


def _settled(book: Book) -> list[Payment]:
    ids = [entry.payment_id for entry in book.entries if entry.kind in SETTLEMENTS]
    found = (book.payments.get(payment_id) for payment_id in dict.fromkeys(ids))
    return [payment for payment in found if payment is not None and payment.status is Status.SETTLED]


def _at(payment: Payment) -> datetime:
    return payment.settled_at or payment.created_at


RULES = (
    balanced,
    certificate_is_paid,
    applied_once,
    cities_get_their_own,
    applied_is_own_amount,
    never_changed,
    stands_in_the_chain,
    lines_partition_credits,
    close_is_what_the_city_got,
    others_say_the_same,
    every_reference_ends,
)
CHECKED = ("I1", "I2", "I4", "I5", "I6", "I7", "I8", "I10", "I12")
