"""The exchange over DynamoDB and S3: chains, vehicles and accounts in; batches and their files out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.changes.change import Change, Subject, in_force
from avarez.changes.change_table import PAGE as CHANGES_PAGE
from avarez.changes.change_table import ChangeTable
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.errors import TransactionRefused
from avarez.events.chain import Carried, Event
from avarez.events.log import EventLog
from avarez.municipalities import all_municipalities
from avarez.object_store import Bucket
from avarez.quotes.store import DutyStore, row_key
from avarez.quotes.vehicles import VehicleRow, holder
from functions.pay.exchange.form import File
from functions.pay.exchange.records import Car
from functions.pay.exchange.reporting import Batch

PREFIX: Final = "exchange/"
LINK_SECONDS: Final = 900
TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "json": "application/json"}


class ChainTable:
    """The cities' chains."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger
        self._log = EventLog(ledger)

    def heads(self) -> dict[str, int]:
        """The last sequence of each city that has a chain."""
        places = [keys.chain_head(city.code) for city in all_municipalities()]
        found = batch_get(self._ledger, places).values()
        return {str(item["municipality"]): int(item["sequence"]) for item in found}

    def carried(self, municipality: str) -> Carried:
        """How far the chain came with the city's books."""
        return self._log.carried(municipality)

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]:
        """At most `limit` events that follow `after`."""
        return self._log.read(municipality, after=after, limit=limit)


class VehicleTable:
    """Vehicles by the assessment that a payment rests on, whose row and version never change."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty
        self._rows = DutyStore(duty)

    def cars(self, municipality: str, payments: Iterable[Mapping[str, Any]]) -> dict[str, Car]:
        """Of each payment the vehicle as it was assessed; where that is not kept, as it stands now."""
        wanted = {str(payment["payment_id"]): payment for payment in payments}
        quotes = self._quotes(municipality, wanted.values())
        rows = batch_get(self._duty, {key for quote in quotes.values() if (key := _row_of(quote)) is not None})
        return {
            payment_id: self._car(payment, quotes.get(str(payment.get("assessment_id", ""))), rows)
            for payment_id, payment in wanted.items()
        }

    def _quotes(self, municipality: str, payments: Iterable[Mapping[str, Any]]) -> dict[str, Item]:
        places = {
            keys.assessment(municipality, str(payment["plate"]), str(payment["assessment_id"]))
            for payment in payments
            if payment.get("assessment_id")
        }
        return {str(item["assessment_id"]): item for item in batch_get(self._duty, places).values()}

    def _car(self, payment: Mapping[str, Any], quote: Item | None, rows: Mapping[keys.Key, Item]) -> Car:
        item = None if quote is None else rows.get(_row_of(quote) or ("", ""))
        facts = {} if quote is None else dict(quote.get("facts", {}))
        if item is not None and facts:
            return _car_of(facts, str(item.get("vin", "")))
        row = self._now(str(payment.get("vehicle_id", "")))
        if row is None:
            return _car_of({**facts, **_told_class(payment)}, "")
        return _car_of(facts or row.facts, row.vin)

    def _now(self, vehicle_id: str) -> VehicleRow | None:
        return holder(self._rows.rows_of_vehicle(vehicle_id)) if vehicle_id else None


def _row_of(quote: Item) -> keys.Key | None:
    """The row that the assessment read; None where it does not say which."""
    version = quote.get("roll_version")
    if version is None:
        return None
    return row_key(str(quote["municipality"]), str(quote["plate"]), int(version), str(quote["vehicle_id"]))


def _told_class(payment: Mapping[str, Any]) -> dict[str, str]:
    told = str(payment.get("vehicle_class", ""))
    return {"vehicle_class": told} if told else {}


def _car_of(facts: Mapping[str, Any], vin: str) -> Car:
    return Car(
        vin=vin,
        model_year=str(facts.get("model_year", "")),
        model_calendar=str(facts.get("model_calendar", "")),
        car_type=str(facts.get("vehicle_class", "")),
    )


@dataclass
class AccountHistory:
    """The cities' accounts, each city's history read once. For one batch: what is approved later is not seen."""

    changes: ChangeTable
    _known: dict[str, list[Change]] = field(default_factory=dict)

    def iban(self, municipality: str, at: datetime) -> str:
        """The account in force at this instant."""
        if municipality not in self._known:
            self._known[municipality] = self._history(municipality)
        found = in_force(self._known[municipality], at)
        return "" if found is None else str(found.value["iban"])

    def _history(self, municipality: str) -> list[Change]:
        found = page = self.changes.history(municipality, Subject.ACCOUNT)
        while len(page) == CHANGES_PAGE:
            page = self.changes.history(municipality, Subject.ACCOUNT, before=page[-1].change_id)
            found = [*found, *page]
        return found


class BatchTable:
    """A row for each batch, in the ledger table."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def last(self) -> Batch | None:
        """The newest batch."""
        return next(iter(self.listed(before=0, limit=1)), None)

    def find(self, number: int) -> Batch | None:
        """The batch of this number."""
        item = self._ledger.get(keys.exchange_batch(number))
        return None if item is None else _batch_from(item)

    def listed(self, *, before: int, limit: int) -> list[Batch]:
        """At most `limit` batches before this number, or of all for 0; the newest first."""
        partition, _ = keys.exchange_batch(0)
        upto = keys.exchange_batch(before - 1)[1] if before else ""
        items = self._ledger.query(partition, limit=limit, descending=True, upto=upto)
        return [_batch_from(item) for item in items]

    def add(self, batch: Batch) -> bool:
        """Whether the batch now stands under its number."""
        key = keys.exchange_batch(batch.number)
        item = {**asdict(batch), "files": [dict(file) for file in batch.files]}
        try:
            transact(
                [self._ledger.put_new(key, item)],
                mine=lambda: self.find(batch.number) == batch,
                dynamodb=self._ledger.dynamodb,
            )
        except TransactionRefused:
            return False
        return True


def _batch_from(item: Item) -> Batch:
    members = {name: item[name] for name in Batch.__dataclass_fields__}
    return Batch(**{**members, "files": tuple(item["files"])})


class ExchangeObjects:
    """The files of every batch below `exchange/`, each under its content's hash; none is changed or removed."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = Bucket(bucket, s3)

    def keep(self, number: int, file: File) -> str:
        """The key of the file, which is stored and read back.

        Raises: ServiceBusy.
        """
        key = f"{PREFIX}{number:012d}/{file.sha256}/{file.name}"
        self._bucket.keep(key, file.content, TYPES[file.name.rpartition(".")[2]])
        return key

    def read(self, key: str) -> bytes:
        """The content at this key. Raises ServiceBusy."""
        return self._bucket.read(key)

    def link(self, key: str, name: str) -> str:
        """An address at which the file can be fetched for a quarter of an hour, under its name."""
        return self._bucket.address(key, LINK_SECONDS, ResponseContentDisposition=f'attachment; filename="{name}"')
