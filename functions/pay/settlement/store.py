"""Closes in DynamoDB: positions, plans, batches of lines, and the one transaction that makes a close of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from avarez import keys
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.errors import TransactionRefused
from avarez.events.chain import Event
from avarez.events.log import EventLog, waiting_write
from avarez.settlements import (
    Line,
    Settlement,
    batch_hash,
    lines_from,
    settlement_from,
    settlement_item,
    text_hash,
)
from functions.pay.settlement.bank.transfer_store import TransferTable, journal_writes
from functions.pay.settlement.rules import Modes, Own, Plan, Position, closed_event, transfer_entry

FIRST: Final = "attribute_not_exists(pk)"
SAME_CLOSE: Final = "settlement_id = :settlement"
BATCHES_READ_MAX: Final = 100_000


class CloseTable:
    """The closes of the ledger table; a city's settings are read from the duty table."""

    def __init__(self, duty: Table, ledger: Table, transfers: TransferTable) -> None:
        self._duty = duty
        self._ledger = ledger
        self._log = EventLog(ledger)
        self._transfers = transfers

    # -- what is read --------------------------------------------------------------------------------

    def municipalities(self) -> Sequence[str]:
        """The cities that have settings, which are all that take payments."""
        partition, first = keys.municipality_setting("")
        return [str(item["sk"]).removeprefix(first) for item in self._duty.query(partition, first, limit=10_000)]

    def setting(self, municipality: str) -> Mapping[str, Any]:
        return self._duty.get(keys.municipality_setting(municipality)) or {}

    def settings(self, municipalities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """The settings of many cities."""
        wanted = {keys.municipality_setting(city): city for city in municipalities}
        return {wanted[key]: item for key, item in batch_get(self._duty, wanted).items()}

    def position(self, municipality: str) -> Position:
        return position_from(self._ledger.get(keys.settled_head(municipality)))

    def positions(self, municipalities: Sequence[str]) -> Mapping[str, Position]:
        """How far the closes of many cities are; a city without any is left out."""
        wanted = {keys.settled_head(city): city for city in municipalities}
        return {wanted[key]: position_from(item) for key, item in batch_get(self._ledger, wanted).items()}

    def plan(self, municipality: str) -> Plan | None:
        item = self._ledger.get(keys.settled_plan(municipality))
        return None if item is None else plan_from(item)

    def page(self, municipality: str, after: int, limit: int) -> Sequence[Event]:
        return self._log.read(municipality, after=after, limit=limit)

    def settlement(self, municipality: str, settlement_id: str) -> Settlement | None:
        item = self._ledger.get(keys.settlement(municipality, settlement_id))
        return None if item is None else settlement_from(item)

    def settlements(self, municipality: str, *, before: str, limit: int) -> Sequence[Settlement]:
        """At most `limit` closes older than `before` (any, where it is empty), the newest first."""
        partition, _ = keys.settlement(municipality, "")
        upto = f"{before[:-1]}{chr(ord(before[-1]) - 1)}~" if before else ""
        items = self._ledger.query(partition, upto=upto, limit=limit, descending=True)
        return [settlement_from(item) for item in items]

    def lines(self, settlement: Settlement, *, first: int = 0, limit: int = 0) -> Sequence[Line]:
        """Lines of the close in their order, from number `first` on; all that follow where `limit` is 0."""
        kept = self._batches(settlement.municipality, settlement.settlement_id)
        lines = [line for item in kept for line in lines_from(item["lines"])]
        return lines[first : first + limit] if limit else lines[first:]

    def batch_hashes(self, settlement: Settlement) -> Sequence[str]:
        """The hashes of the batches as they are, made anew from the lines."""
        kept = self._batches(settlement.municipality, settlement.settlement_id)
        return [batch_hash(lines_from(item["lines"])) for item in kept]

    def _batches(self, municipality: str, settlement_id: str) -> list[Item]:
        partition, _ = keys.settlement_lines(municipality, settlement_id, 0)
        return self._ledger.query(partition, limit=BATCHES_READ_MAX)

    # -- what is written -----------------------------------------------------------------------------

    def begin(self, plan: Plan) -> Plan:
        city = plan.municipality
        key = keys.settled_plan(city)
        writes = [self._ledger.put_new(key, plan_item(plan)), self._unmoved(plan)]
        try:
            transact(writes, mine=lambda: self.plan(city) == plan, dynamodb=self._ledger.dynamodb)
        except TransactionRefused:
            standing = self.plan(city)
            if standing is None:  # the other one is done with it already
                raise
            return standing
        return plan

    def kept(self, plan: Plan) -> int:
        return len(self._batches(plan.municipality, plan.settlement_id))

    def keep(self, plan: Plan, first: int, texts: Sequence[str]) -> None:
        """A writer that slept through the commit is refused; the same batch again is the same batch."""
        city, of = plan.municipality, plan.settlement_id
        writes = [self._ledger.check(keys.settled_plan(city), SAME_CLOSE, settlement=of)]
        writes += [
            self._ledger.put(keys.settlement_lines(city, of, number), {"lines": text, "hash": text_hash(text)})
            for number, text in enumerate(texts, start=first)
        ]
        transact(writes, dynamodb=self._ledger.dynamodb)

    def commit(self, plan: Plan, settlement: Settlement, after: Position, due: Own) -> Settlement:
        city, of = plan.municipality, plan.settlement_id
        head = keys.settled_head(city)
        moved = (
            self._ledger.put(head, position_item(after), "#number = :number", number=plan.before.number)
            if plan.before.number
            else self._ledger.put(head, position_item(after), FIRST)
        )
        writes = [
            moved,
            self._ledger.delete(keys.settled_plan(city), SAME_CLOSE, settlement=of),
            self._ledger.put_new(keys.settlement(city, of), settlement_item(settlement)),
            self._ledger.put_new(keys.settled_number(city, plan.number), {"settlement_id": of}),
            waiting_write(self._ledger, closed_event(plan, settlement)),
        ]
        if due.rial:
            writes += journal_writes(self._ledger, transfer_entry(plan, due))
            writes += self._transfers.opening(settlement)
        try:
            transact(
                writes,
                mine=lambda: self.settlement(city, of) == settlement,
                dynamodb=self._ledger.dynamodb,
            )
        except TransactionRefused:
            standing = self.settlement(city, of)
            if standing is None:
                raise
            return standing
        return settlement

    def _unmoved(self, plan: Plan) -> Item:
        head = keys.settled_head(plan.municipality)
        if not plan.before.number:
            return self._ledger.check(head, FIRST)
        return self._ledger.check(head, "#number = :number", number=plan.before.number)


# --- items -----------------------------------------------------------------------------------------------


def position_item(position: Position) -> Item:
    return asdict(position)


def position_from(item: Item | None) -> Position:
    """The position in an item; of a city without one, the beginning."""
    if item is None:
        return Position()
    return Position(
        number=int(item["number"]),
        settlement_id=str(item["settlement_id"]),
        day=str(item["day"]),
        cutoff_at=str(item["cutoff_at"]),
        to_sequence=int(item["to_sequence"]),
        last_hash=str(item["last_hash"]),
        collected=Own(**item["collected"]),
        direct=Own(**item["direct"]),
        on_the_way=Own(**item["on_the_way"]),
    )


def plan_item(plan: Plan) -> Item:
    return asdict(plan)


def plan_from(item: Item) -> Plan:
    """The plan in an item."""
    return Plan(
        settlement_id=str(item["settlement_id"]),
        event_id=str(item["event_id"]),
        journal_id=str(item["journal_id"]),
        municipality=str(item["municipality"]),
        number=int(item["number"]),
        day=str(item["day"]),
        ends_at=str(item["ends_at"]),
        early=bool(item["early"]),
        from_sequence=int(item["from_sequence"]),
        to_sequence=int(item["to_sequence"]),
        modes=Modes(str(item["modes"]["mode"]), dict(item["modes"]["by_gateway"])),
        before=position_from(item["before"]),
        planned_at=str(item["planned_at"]),
        planned_by=str(item["planned_by"]),
    )
