"""The only place where quotes meet DynamoDB and S3: rows, duties, residences in; assessments out."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from avarez import dynamo, keys
from avarez.assessment.model import Agreement, PaidYear, PenaltyPause
from avarez.canonical import canonical_bytes
from avarez.dynamo import Item, Table, batch_get, from_item, transact, translated
from avarez.errors import TransactionRefused
from avarez.quotes.vehicles import VehicleRow, rows_of_items, visible_rows

if TYPE_CHECKING:  # the reader of tariffs is loaded with the first tariff
    from avarez.assessment.tariff import Tariff

CANDIDATES_MAX: Final = 50
"""Collections looked at for one plate or VIN: a plate has had a handful of places, never fifty."""
INDEX_PAGES_MAX: Final = 10
"""Pages of 1 MB read for one look-up: tens of thousands of quotes of one plate may stand between its rows."""
TARIFF_POINTER_FRESH_S: Final = 30
"""How old the knowledge of the current tariff may be; a published tariff is in force half a minute later."""
INDEXES: Final = {"plate": "by_plate", "vin": "by_vin", "chassis": "by_chassis", "engine": "by_engine"}


def whereabouts(vehicle_id: str, municipality: str, plate: str) -> keys.Key:
    """The note that this vehicle has stood in that collection; written with every row, never taken back."""
    return f"VEHICLE#{vehicle_id}", f"COLLECTION#{municipality}#{plate}"


def row_key(municipality: str, plate: str, version: int, vehicle_id: str) -> keys.Key:
    """A vehicle's row; the id comes last, so that a plate may pass from car to car within one version."""
    pk, sk = keys.vehicle(municipality, plate, version)
    return pk, f"{sk}#{vehicle_id}"


def resting_marks(municipality: str, version: int) -> str:
    """The partition of the quotes that rest on rows of this roll version; rollback reads it."""
    return f"{municipality}#RESTS#{version:08d}"


@dataclass(slots=True)
class DutyStore:
    """What is stored of vehicles and their duties. Reads are strongly consistent, look-ups excepted."""

    table: Table

    def visible_versions(self, municipality: str) -> frozenset[int]:
        """The roll versions that the city's pointer makes visible."""
        pointer = self.table.get(keys.roll_pointer(municipality)) or {}
        return frozenset(pointer.get("versions", ()))

    def rows(self, municipality: str, plate: str) -> list[VehicleRow]:
        """The visible row of each vehicle on this plate in this city."""
        items = self.table.query(keys.collection(municipality, plate), keys.VEHICLE_PREFIX)
        if not items:
            return []
        return visible_rows(rows_of_items(items), self.visible_versions(municipality))

    def rows_of_vehicle(self, vehicle_id: str) -> list[VehicleRow]:
        """The visible rows of one vehicle in every city and on every plate it has had."""
        places = self.table.query(f"VEHICLE#{vehicle_id}", "COLLECTION#", limit=CANDIDATES_MAX)
        return [
            row
            for place in places
            for row in self.rows(place["municipality"], place["plate_key"])
            if row.vehicle_id == vehicle_id
        ]

    def find(self, by: str, value: str) -> list[VehicleRow]:
        """Visible rows in every city that an index names; `by` is plate, vin, chassis or engine.

        Only a look-up: the index may lag by a moment, the rows themselves are read consistently.
        """
        entries = list(self._index_entries(by, value))
        places = sorted({entry["pk"] for entry in entries})[:CANDIDATES_MAX]
        vehicles = {entry["vehicle_id"] for entry in entries}
        rows = [row for place in places for row in self.rows(*place.split("#", 1))]
        return [row for row in rows if row.vehicle_id in vehicles]

    def _index_entries(self, by: str, value: str) -> Iterator[Item]:
        """The index's entries that are vehicle rows; quotes and payments carry a plate too and are left out."""
        start: dict[str, Any] = {}
        for _ in range(INDEX_PAGES_MAX):
            with translated():
                answer = self.table.dynamodb.query(
                    TableName=self.table.name,
                    IndexName=INDEXES[by],
                    KeyConditionExpression="#by = :value",
                    FilterExpression="begins_with(sk, :vehicle)",
                    ExpressionAttributeNames={"#by": by},
                    ExpressionAttributeValues={":value": {"S": value}, ":vehicle": {"S": keys.VEHICLE_PREFIX}},
                    **start,
                )
            yield from map(from_item, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def paid_years(self, vehicle_id: str, years: Iterable[int]) -> list[PaidYear]:
        """The duty years that are paid, in whatever city and under whatever plate: the DUTY items say it all."""
        duties = batch_get(self.table, (keys.duty(vehicle_id, year) for year in years))
        paid = {_year_of(key): item for key, item in duties.items() if item.get("status") == "paid"}
        return [_paid_year(year, item) for year, item in sorted(paid.items())]

    def pauses(self, vehicle_id: str, municipality: str) -> list[PenaltyPause]:
        """The periods in which the vehicle's penalty in this city stood still: its objections, open or decided."""
        notes = self.table.query(f"VEHICLE#{vehicle_id}", "OBJECTION#", limit=CANDIDATES_MAX)
        return [_pause(note) for note in notes if note["municipality"] == municipality]

    def agreements(self, vehicle_id: str, municipality: str) -> list[Agreement]:
        """The agreements by which the vehicle's years in this city are, or were, paid by instalments."""
        notes = self.table.query(f"VEHICLE#{vehicle_id}", "AGREEMENT#", limit=CANDIDATES_MAX)
        return [_agreement(note) for note in notes if note["municipality"] == municipality]

    def save_quote(self, quote: Item, answer: Item, resting_version: int) -> None:
        """Stores a quote once; its answer is kept as the text that was given.

        Raises:
            ServiceBusy: nothing was stored.
        """
        key = keys.assessment(quote["municipality"], quote["plate"], quote["assessment_id"])
        writes = [
            self.table.put_new(key, {**quote, "answer": json.dumps(answer, ensure_ascii=False)}),
            self.table.put_new(
                keys.pointer(quote["assessment_id"]),
                {**keys.leading_to(key), "municipality": quote["municipality"]},
            ),
        ]
        if resting_version:
            mark = resting_marks(quote["municipality"], resting_version), quote["assessment_id"]
            duties = [year["year"] for year in quote["years"]]
            writes.append(
                self.table.put_new(mark, {"vehicle_id": quote["vehicle_id"], "plate_key": key[0], "years": duties})
            )
        transact(writes, mine=lambda: self.table.get(key) is not None, dynamodb=self.table.dynamodb)

    def open_dispute(self, vehicle_id: str, plate: str, municipalities: Iterable[str], at: str) -> None:
        """Tells each city that another one claims the same residence, once; officers settle it between them."""
        claimants = sorted(set(municipalities))
        task_id = f"tk_disputed_{vehicle_id}"
        for city in claimants:
            task = {
                "task_id": task_id,
                "kind": "residence_disputed",
                "status": "open",
                "municipality": city,
                "plate": plate,
                "vehicle_id": vehicle_id,
                "claimants": claimants,
                "created_at": at,
            }
            with contextlib.suppress(TransactionRefused):  # it is told already
                transact([self.table.put_new(keys.task(city, task_id), task)], dynamodb=self.table.dynamodb)

    def quote(self, assessment_id: str) -> tuple[str, Item] | None:
        """The city and the answer of a stored quote, as they were given; None where there is none."""
        item = self.quote_item(assessment_id)
        return None if item is None else (item["municipality"], json.loads(item["answer"]))

    def quote_item(self, assessment_id: str) -> Item | None:
        """A stored quote with what paying needs of it; its answer is in `answer`, as text."""
        return self.table.follow(keys.pointer(assessment_id))


def _year_of(key: keys.Key) -> int:
    return int(key[0].rpartition("#")[2])


def _pause(note: Item) -> PenaltyPause:
    until = note.get("paused_until")
    return PenaltyPause(
        date.fromisoformat(note["paused_from"]),
        date.fromisoformat(until) if until else None,
        frozenset(int(year) for year in note["years"]),
    )


def _agreement(note: Item) -> Agreement:
    until = note.get("until")
    return Agreement(
        agreement_id=str(note["agreement_id"]),
        since=date.fromisoformat(note["since"]),
        until=date.fromisoformat(until) if until else None,
        years=frozenset(int(year) for year in note["years"]),
        open_years=frozenset(int(year) for year in note["open_years"]),
        credits=tuple((int(of["year"]), int(of["amount_rial"])) for of in note["credits"]),
    )


def _paid_year(year: int, duty: Item) -> PaidYear:
    return PaidYear(
        year=year,
        amount_rial=int(duty["amount_rial"]),
        paid_on=date.fromisoformat(duty["paid_on"]),
        payment_id=str(duty["payment_id"]),
        municipality=duty["municipality"],
    )


class TariffStore:
    """The published tariff: immutable objects under their content hash, and one pointer to the current one."""

    def __init__(self, table: Table, bucket: str, s3: Any | None = None) -> None:
        self._table = table
        self._bucket = bucket
        self._s3 = s3
        self._tariffs: dict[str, Tariff] = {}
        self._current: tuple[str, str, float] | None = None

    def current(self, elapsed_s: Callable[[], float] = time.monotonic) -> Tariff | None:
        """The tariff in force, or None before the first publication; at most 30 s behind the pointer."""
        if self._current is None or elapsed_s() - self._current[2] > TARIFF_POINTER_FRESH_S:
            pointer = self._table.get(keys.tariff_pointer())
            if pointer is None:
                return None
            self._current = (pointer["tariff_hash"], pointer["object_key"], elapsed_s())
        tariff_hash, object_key, _ = self._current
        if tariff_hash not in self._tariffs:
            with translated():
                stored = self._client.get_object(Bucket=self._bucket, Key=object_key)["Body"].read()
            from avarez.assessment.tariff import tariff_from_document

            self._tariffs = {tariff_hash: tariff_from_document(json.loads(stored))}
        return self._tariffs[tariff_hash]

    def install(self, tariff: Tariff, published_at: str) -> str:
        """Stores a first tariff under its hash and makes it the current one, without the steps of a draft.

        For setting up a system; every later tariff is checked, simulated and approved. Returns the hash.
        """
        document = canonical_bytes(tariff.document)
        object_key = f"tariffs/{tariff.content_hash}.json"
        with translated():
            self._client.put_object(
                Bucket=self._bucket, Key=object_key, Body=document, ContentType="application/json"
            )
            self._table.dynamodb.put_item(
                TableName=self._table.name,
                Item=dynamo.to_item({
                    "pk": keys.tariff_pointer()[0],
                    "sk": keys.tariff_pointer()[1],
                    "tariff_hash": tariff.content_hash,
                    "object_key": object_key,
                }),
            )  # fmt: skip
            record = {
                "tariff_version": tariff.content_hash, "supersedes": None, "authority": "national",
                "title": "installed with the system", "published_at": published_at,
            }  # fmt: skip
            pk, sk = keys.tariff_version(tariff.content_hash)
            self._table.dynamodb.put_item(
                TableName=self._table.name, Item=dynamo.to_item({**record, "pk": pk, "sk": sk})
            )
        self._current = None
        return tariff.content_hash

    @property
    def _client(self) -> Any:
        return self._s3 or dynamo.client("s3")


def put_municipality_settings(table: Table, settings: Sequence[tuple[str, Item]]) -> None:
    """Stores each city's settings as they are given, over what was there."""
    for municipality, values in settings:
        pk, sk = keys.municipality_setting(municipality)
        with translated():
            table.dynamodb.put_item(TableName=table.name, Item=dynamo.to_item({**values, "pk": pk, "sk": sk}))
