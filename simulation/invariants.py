"""The invariants of `docs/proofs.md`, each a list of what breaks it; and whether the world has come to rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256

from avarez.canonical import content_hash
from avarez.clock import tehran_today
from avarez.events.chain import GENESIS, faults
from avarez.journal import members_of
from functions.pay.delivery.endpoints.endpoint import State
from functions.pay.delivery.service import body_of
from functions.pay.rules.fees import Fee
from functions.pay.rules.instalments import Agreement
from functions.pay.rules.leases import PAID, VOID
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import RefundStatus, held_claims, left_of
from functions.pay.rules.states import OPEN, Status
from simulation.closes import IBANS
from simulation.people import People
from simulation.settled import credits_are_partitioned
from simulation.world import World


def check(world: World, people: People) -> dict[str, list[str]]:
    """What breaks each invariant; empty lists are what one wants."""
    told: dict[str, list[str]] = {}
    for name, rule in RULES.items():
        told[name] = list(rule(world, people))
    return told


def _payments(world: World) -> list[Payment]:
    return list(world.store.payments.values())


def balanced(world: World, people: People) -> Iterator[str]:
    """I1: the postings of each entry add up to nothing."""
    for entry in world.store.journal:
        if sum(posting.debit_rial - posting.credit_rial for posting in entry.postings):
            yield entry.journal_id


def _cleared(world: World) -> Counter[tuple[str, str]]:
    """What the clearing accounts hold, by account and reference."""
    held: Counter[tuple[str, str]] = Counter()
    for entry in world.store.journal:
        for posting in entry.postings:
            if "_clearing:" in posting.account:
                held[posting.account, entry.reference] += posting.debit_rial - posting.credit_rial
    return Counter({key: rial for key, rial in held.items() if rial})


def _confirmed(world: World, people: People) -> Counter[tuple[str, str]]:
    """What gateways, banks and terminals hold for us, by account and reference: their own books, not ours."""
    held: Counter[tuple[str, str]] = Counter()
    for gateway in world.gateways:
        for slip in gateway.slips.values():
            if slip.state == "verified":
                held[f"gateway_clearing:{gateway.name}", slip.reference] += slip.amount_rial
    for key, rial in people.bank_rial.items():
        held["bill_clearing:melli", key] += rial
    for terminal, listed in people.slips.items():
        for line in listed.values():
            held["pos_clearing:saman", f"{terminal}-{line.reference}"] += line.amount_rial
    return held


def confirmed_is_cleared(world: World, people: People) -> Iterator[str]:
    """I2: what others hold for us is what our clearing accounts hold, reference by reference."""
    ours, theirs = _cleared(world), _confirmed(world, people)
    for key in sorted(set(ours) | set(theirs)):
        if ours[key] != theirs[key]:
            yield f"{key[0]} {key[1]}: ours {ours[key]}, theirs {theirs[key]}"
    of_bills_rial = sum(rial for (account, _), rial in ours.items() if account == "bill_clearing:melli")
    if of_bills_rial != people.bank_sum_rial:
        yield f"bills: ours {of_bills_rial}, the bank's {people.bank_sum_rial}"


def lost_rial(world: World, people: People) -> int:
    """The sum of what differs between others' books and ours, whichever way."""
    ours, theirs = _cleared(world), _confirmed(world, people)
    return sum(abs(ours[key] - theirs[key]) for key in set(ours) | set(theirs))


def _certified(world: World) -> Counter[tuple[str, int]]:
    """How many certificates in force each duty has."""
    certified = (world.store.payments[payment_id] for payment_id in world.store.certificates.values())
    return Counter(
        (payment.vehicle_id, part.year)
        for payment in certified
        for part in (payment.completes if payment.agreement_id else left_of(payment))
    )


def one_certificate(world: World, people: People) -> Iterator[str]:
    """I3: no duty has two certificates in force."""
    for duty, count in _certified(world).items():
        if count > 1:
            yield f"{duty}: {count}"


def certificate_is_paid(world: World, people: People) -> Iterator[str]:
    """I4: a duty has a certificate if and only if it is paid."""
    paid = {
        duty
        for duty, holder in world.store.duties.items()
        if holder["status"] == PAID and duty[0] not in world.store.agreements
    }
    for duty in sorted(set(_certified(world)) ^ paid):
        yield f"{duty}"


def applied_once(world: World, people: People) -> Iterator[str]:
    """I5: no duty is paid by two payments; and no write took effect twice."""
    settled = (of for of in _payments(world) if of.status is Status.SETTLED and not of.parts)
    applied = Counter(claim for payment in settled for claim in held_claims(payment))
    for duty, count in applied.items():
        if count > 1:
            yield f"{duty}: {count}"
    for name, count in world.store.doubled.items():
        yield f"{name} took effect twice, {count} times"
    taken = Counter(entry.payment_id for entry in world.store.journal if not entry.cause)
    yield from (f"{payment_id}: taken {count} times" for payment_id, count in taken.items() if count > 1)


def references_end(world: World, people: People) -> Iterator[str]:
    """I6: every reference of a gateway is applied, in suspense, given back, or never became ours."""
    booked = {entry.reference for entry in world.store.journal}
    for gateway in world.gateways:
        for slip in gateway.slips.values():
            if slip.state == "paid":
                yield f"{slip.reference}: neither verified nor gone back"
            if slip.state == "verified" and slip.reference not in booked:
                yield f"{slip.reference}: verified and not booked"
    owners = Counter(
        (payment.channel, payment.gateway, payment.reference)
        for payment in _payments(world)
        if payment.settled_at and not payment.parent_id and payment.reference
    )
    yield from (f"{owner}: used {count} times" for owner, count in owners.items() if count > 1)


def cities_get_what_is_applied(world: World, people: People) -> Iterator[str]:
    """I7: what a city is owed = what was applied for it − its fees − what went back − what the bank paid on."""
    owed: Counter[str] = Counter()
    for entry in world.store.journal:
        for posting in entry.postings:
            if city := _owed_to(posting.account):
                owed[city] += posting.credit_rial - posting.debit_rial
                if city != entry.municipality:
                    yield f"{entry.journal_id}: {city} credited in the book of {entry.municipality}"
    due: Counter[str] = Counter()
    for payment in _payments(world):
        if payment.settled_at and not payment.parts and payment.status is Status.SETTLED:
            due[payment.municipality] += sum(part.amount_rial for part in left_of(payment))
            due[payment.municipality] += payment.rounding_rial - payment.city_fee_rial
    for city, iban in IBANS.items():
        due[city] -= world.closes.bank.paid_to(iban)
    told = _told_of_cities(world)
    for city in sorted(set(owed) | set(due) | set(told)):
        if owed[city] != due[city]:
            yield f"{city}: owed {owed[city]}, due {due[city]}"
        if told[city] != due[city]:
            yield f"{city}: told of {told[city]}, due {due[city]}"


@cache
def _owed_to(account: str) -> str:
    """Which city is owed what stands on this account; empty where none is."""
    kind, _, city = account.partition(":")
    return city if kind in ("municipality_payable", "municipality_rounding") else ""


def _told_of_cities(world: World) -> Counter[str]:
    """What each city's own chain of events says that it is owed: all that a receiver has."""
    told: Counter[str] = Counter()
    for events in world.store.chains.values():
        for event in events:
            for posting in event.data.get("entry", {}).get("postings", ()):
                if city := _owed_to(posting["account"]):
                    told[city] += int(posting["credit_rial"]) - int(posting["debit_rial"])
    return told


def applied_is_own_amount(world: World, people: People) -> Iterator[str]:
    """I8: a settlement takes exactly the payment's own amount, its quote and fee, shared as the city has set."""
    for entry in world.store.journal:
        if entry.kind != "payment_settled":
            continue
        payment = world.store.payments[entry.payment_id]
        taken_rial = sum(posting.debit_rial for posting in entry.postings if "_clearing:" in posting.account)
        years_rial = sum(part.amount_rial for part in payment.years)
        own_rial = years_rial + payment.rounding_rial + payment.fee_rial
        if not taken_rial == payment.amount_rial == own_rial:
            yield f"{entry.payment_id}: took {taken_rial} of {payment.amount_rial}"
        fee = world.store.fees.get(payment.municipality, Fee()) if payment.instalment < 2 else Fee()
        fee_rial = sum(
            p.credit_rial for p in entry.postings if p.account.startswith(("office_fee", "platform_fee"))
        )
        office_rial = sum(p.credit_rial for p in entry.postings if p.account.startswith("office_fee"))
        if fee_rial != fee.amount_rial or office_rial != fee.amount_rial * fee.office_ppm // 1_000_000:
            yield f"{entry.payment_id}: shares of {fee_rial} and {office_rial} are not what the city has set"
        asked_rial = _asked_rial(world, payment)
        quoted_rial = asked_rial + payment.fee_rial if asked_rial is not None else own_rial
        if payment.channel != "bill" and payment.amount_rial != quoted_rial:
            yield f"{entry.payment_id}: another amount than its quote's"
    parts_rial: defaultdict[str, list[int]] = defaultdict(list)
    for part in _payments(world):
        parts_rial[part.parent_id].append(part.amount_rial)
    for parent in _payments(world):
        if parent.parts and parent.status is Status.SETTLED:
            own = parts_rial[parent.payment_id]
            if sum(own) != parent.amount_rial or len(own) != parent.parts:
                yield f"{parent.payment_id}: parts {sum(own)} of {parent.amount_rial}"
    yield from agreements_add_up(world)


def _asked_rial(world: World, payment: Payment) -> int | None:
    """What its quote, or its part of an agreement, asked for without fees."""
    if payment.agreement_id:
        return world.store.agreements[payment.agreement_id].parts[payment.instalment - 1].amount_rial
    quote = world.store.quotes.get(payment.assessment_id)
    return None if quote is None else quote.owed_rial


def agreements_add_up(world: World) -> Iterator[str]:
    """Of I8: an agreement counts exactly the parts that are paid, in order, and its years are paid by them."""
    paid: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in _payments(world):
        if payment.agreement_id and payment.status is Status.SETTLED:
            paid[payment.agreement_id].append(payment)
    for agreement in world.store.agreements.values():
        parts = sorted(paid[agreement.agreement_id], key=lambda part: part.instalment)
        if [part.instalment for part in parts] != list(range(1, agreement.paid_parts + 1)):
            yield f"{agreement.agreement_id}: {len(parts)} parts are settled, {agreement.paid_parts} counted"
        years: Counter[int] = Counter()
        for part in parts:
            years.update({year.year: year.amount_rial for year in part.years})
        yield from _years_differ(world, agreement, years, {part.payment_id for part in parts})


def _years_differ(world: World, agreement: Agreement, years: Counter[int], payments: set[str]) -> Iterator[str]:
    for year in agreement.years:
        holder = world.store.duties.get((agreement.vehicle_id, year.year))
        ours = holder is not None and holder["status"] == PAID and holder["payment_id"] in payments
        if ours != (years[year.year] == year.amount_rial):
            yield f"{agreement.agreement_id}: {year.year} has {years[year.year]} of {year.amount_rial}"


def in_time(world: World, people: People) -> Iterator[str]:
    """I9: none created after its quote, none verified after its gateway's window, a bill honoured to its date."""
    for payment in _payments(world):
        if payment.settled_at and payment.channel == "gateway" and not payment.parent_id:
            begun = next(e for e in world.store.history[payment.payment_id] if e.after is Status.VERIFYING)
            if begun.at > payment.verify_until_at:
                yield f"{payment.payment_id}: verified after the gateway's window"
        quote = world.store.quotes.get(payment.assessment_id)
        if quote is None or payment.parent_id or not payment.years or payment.agreement_id:
            continue
        if payment.created_at >= quote.expires_at:
            yield f"{payment.payment_id}: created after its quote"
        paid_on = people.paid_late.get(payment.reference)
        if paid_on is None or not payment.settled_at or paid_on <= tehran_today(payment.expires_at):
            continue
        if payment.amount_rial == quote.owed_rial + payment.fee_rial:
            yield f"{payment.payment_id}: honoured at its amount after the date on it"


def nothing_dropped(world: World, people: People) -> Iterator[str]:
    """I11: each event's id is taken by its city, in order and as the chain has it, or is still to be sent."""
    for city, receiver in world.cities.receivers.items():
        chain, endpoint = world.store.chains[city], world.store.find(city)
        yield from (f"{city}: {how}" for how in receiver.wrong)
        if endpoint is None:
            yield f"{city} has no endpoint"
            continue
        for event, taken in zip(chain, receiver.taken, strict=False):
            if event.event_id != taken:
                yield f"{city} {event.sequence}: it took {taken} in this place"
                break
            if receiver.taken[taken] != sha256(body_of(event)).digest():
                yield f"{city} {event.sequence}: it took something else than the chain has"
        if endpoint.delivered > len(receiver.taken):
            yield f"{city}: passed over {endpoint.delivered - len(receiver.taken)} events"
        if len(receiver.taken) > len(chain):
            yield f"{city}: took {len(receiver.taken) - len(chain)} events that are not in the chain"
        scheduled = endpoint.state in (State.ACTIVE, State.PAUSED)
        if endpoint.delivered < len(chain) and not scheduled:
            yield f"{city}: nobody sends what waits behind {endpoint.delivered}"


def never_changed(world: World, people: People) -> Iterator[str]:
    """I12: every entry has the content that its hash was made of, and stands in its city's chain, once."""
    for entry in world.store.journal:
        if content_hash(members_of(entry)) != entry.content_hash:
            yield f"{entry.journal_id}: changed"
    ids = Counter(entry.journal_id for entry in world.store.journal)
    yield from (f"{journal_id}: {count} entries" for journal_id, count in ids.items() if count > 1)
    contents = {(entry.municipality, entry.journal_id): entry.content_hash for entry in world.store.journal}
    places: Counter[tuple[str, str]] = Counter()
    for city, events in world.store.chains.items():
        yield from (f"{city} {sequence}: {how}" for sequence, how in faults(city, events))
        head = world.store.head(city)
        if (head.sequence, head.hash) != (len(events), events[-1].hash if events else GENESIS):
            yield f"{city}: the head says {head.sequence} of {len(events)}"
        told = Counter(event.event_id for event in events)
        yield from (f"{city}: {event_id} {count} times" for event_id, count in told.items() if count > 1)
        for event in events:
            if "entry" in event.data:
                place = city, event.data["entry"]["journal_id"]
                places[place] += 1
                if contents.get(place) != event.data["entry"]["content_hash"]:
                    yield f"{city} {event.sequence}: tells of another entry than the journal's"
    for place in contents.keys() | places.keys():
        if places[place] != 1 or place not in contents:
            yield f"{place[1]}: {places[place]} times in the chain of {place[0]}"


RULES: dict[str, Callable[[World, People], Iterator[str]]] = {
    "I1": balanced,
    "I2": confirmed_is_cleared,
    "I3": one_certificate,
    "I4": certificate_is_paid,
    "I5": applied_once,
    "I6": references_end,
    "I7": cities_get_what_is_applied,
    "I8": applied_is_own_amount,
    "I9": in_time,
    "I10": credits_are_partitioned,
    "I11": nothing_dropped,
    "I12": never_changed,
}


def unrest(world: World) -> list[str]:
    """What has not come to its end although the storm is over."""
    told = [f"{of.payment_id} {of.status.value}" for of in _payments(world) if of.status in OPEN]
    told += [f"{of.payment_id} is still releasing" for of in _payments(world) if of.releasing]
    told += [
        f"{of.refund_id} {of.status.value}"
        for of in world.store.refunds.values()
        if of.status is RefundStatus.APPROVED
        or (of.status is RefundStatus.REQUESTED and of.requested_by == "system")
    ]
    held = defaultdict(list)
    for duty, holder in world.store.duties.items():
        if holder["status"] not in (PAID, VOID):
            held[str(holder["payment_id"])].append(duty)
    told += [f"{payment_id} still holds {len(duties)} duties" for payment_id, duties in held.items()]
    told += [f"{event_id} waits for its place" for rows in world.store.outgoing.values() for event_id in rows]
    for city, receiver in world.cities.receivers.items():
        if (behind := len(world.store.chains[city]) - len(receiver.taken)) > 0:
            told.append(f"{city} has not got {behind} events")
    told += [f"{event_id} could not be placed" for event_id in sorted(world.aside)]
    told += world.closes.unrest(world.turn)
    told += [f"row {due_at} {of}" for rows in world.store.open_rows for due_at, of in rows]
    return told
