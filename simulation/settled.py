"""I10 after a run: each credit of the cities is one line of one close, and each close is paid on, once.

The chain and the bank's own book say what there is to be; nothing here is reckoned by the code of the close.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from avarez import keys
from avarez.settlements import Settlement, lines_from
from functions.pay.audit.settled import ClosedDay, Moved, partitioned, sums_up
from functions.pay.rules.ledger import BANK
from functions.pay.settlement.rules import ARRIVAL_ENTRY, TRANSFER_ENTRY, municipality_transfer
from simulation.closes import IBANS

if TYPE_CHECKING:
    from simulation.people import People
    from simulation.world import World


def credits_are_partitioned(world: World, people: People) -> Iterator[str]:
    """I10: closes partition the credits of the chain; what they pay on is what the bank has paid, to the rial."""
    for city in world.closes.names:
        credited_rial = highest_rial = paid_on_rial = 0
        before: Settlement | None = None
        closes = world.closes.closes(city)
        for made in closes:
            closed = _closed_day(world, made, before)
            yield from (f"{city} {made.number}: {how}" for how in (*partitioned(closed), *sums_up(closed)))
            events = world.store.chains[city][made.from_sequence - 1 : made.to_sequence]
            credited_rial += sum(
                moved.city_rial
                for event, moved in zip(events, closed.events, strict=True)
                if moved.city_rial and event.data["entry"]["kind"] != TRANSFER_ENTRY
            )
            # A close pays on all that has come and was not paid on: nothing while more went back than came.
            highest_rial = max(highest_rial, credited_rial)
            paid_on_rial += made.transfer_rial
            if paid_on_rial != highest_rial:
                yield f"{city} {made.number}: {paid_on_rial} are paid on in all, of {highest_rial}"
            before = made
        yield from _bank_differs(world, city, closes)


def _closed_day(world: World, made: Settlement, before: Settlement | None) -> ClosedDay:
    city = made.municipality
    partition, _ = keys.settlement_lines(city, made.settlement_id, 0)
    texts = [item["lines"]["S"] for _, item in sorted(world.closes.engine.partitions["ledger", partition].items())]
    return ClosedDay(
        settlement=made,
        before=before,
        lines=[line for text in texts for line in lines_from(text)],
        batch_hashes=[sha256(text.encode()).hexdigest() for text in texts],
        events=[
            Moved(event.sequence, event.hash, _moved(event.data, city))
            for event in world.store.chains[city][made.from_sequence - 1 : made.to_sequence]
        ],
    )


def _moved(data: Mapping[str, Any], city: str) -> int | None:
    """What the event did to what the city is owed; None where its two accounts come to nothing each."""
    owed: Counter[str] = Counter()
    for posting in data.get("entry", {}).get("postings", ()):
        owed[posting["account"]] += int(posting["credit_rial"]) - int(posting["debit_rial"])
    own = owed[f"municipality_payable:{city}"], owed[f"municipality_rounding:{city}"]
    return sum(own) if any(own) else None


def _bank_differs(world: World, city: str, closes: Sequence[Settlement]) -> Iterator[str]:
    """Each close that pays something on is one transfer in the bank's book, to the city's account, to the rial."""
    bank = world.closes.bank
    due = {(made.reference, IBANS[city]): made.transfer_rial for made in closes if made.transfer_rial}
    paid = {key: rial for key, rial in bank.paid.items() if key[0].rpartition("-")[0] == city}
    for key in sorted(due.keys() | paid.keys()):
        if due.get(key) != paid.get(key):
            yield f"{key[0]}: {due.get(key)} are to be paid to {key[1]}, and the bank paid {paid.get(key)}"
    on_the_way_rial = arrived_rial = 0
    for entry in world.store.journal:
        if entry.municipality == city and entry.kind in (TRANSFER_ENTRY, ARRIVAL_ENTRY):
            for posting in entry.postings:
                rial = posting.credit_rial - posting.debit_rial
                on_the_way_rial += rial if posting.account == municipality_transfer(city) else 0
                arrived_rial += rial if posting.account == BANK else 0
    if on_the_way_rial or arrived_rial != sum(paid.values()):
        left = f"{arrived_rial} left by our books, {sum(paid.values())} by the bank's"
        yield f"{city}: {on_the_way_rial} are on the way, {left}"
