"""The only place where rolls meet DynamoDB, S3 and SQS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import IO, Any, Final

from avarez import keys
from avarez.clock import from_rfc3339
from avarez.dynamo import Item, Table, batch_get, from_item, to_item, transact, translated
from avarez.errors import TransactionRefused
from avarez.quotes.store import resting_marks

UPLOAD_URL_S: Final = 3_600
"""How long an upload may be begun; a slow line may take longer once it has begun."""
REFUSED_URL_S: Final = 600
SEND_BATCH_MAX: Final = 10
"""Source: SQS API reference, SendMessageBatch."""
RESTING_MARKS_MAX: Final = 20_000
"""Quotes looked at by a rollback; a roll that so many rest on is not rolled back."""
LISTED_MAX: Final = 20
"""Rolls that are told at once: some years of a city's."""
READ_BUFFER_BYTES: Final = 1 << 20


@dataclass(slots=True)
class RollStore:
    """Roll records, chunk records and the city's pointer."""

    table: Table

    def create(self, roll: Item) -> None:
        """Stores a new roll and the pointer of its id."""
        key = keys.roll(roll["municipality"], roll["roll_id"])
        transact(
            [
                self.table.put_new(key, roll),
                self.table.put_new(
                    keys.pointer(roll["roll_id"]),
                    {**keys.leading_to(key), "municipality": roll["municipality"]},
                ),
            ],
            mine=lambda: self.table.get(key) is not None,
            dynamodb=self.table.dynamodb,
        )

    def next_version(self, municipality: str) -> int:
        """A version number that no other roll of the city has; a number lost on the way is never used."""
        pk, sk = keys.roll_pointer(municipality)
        with translated():
            answer = self.table.dynamodb.update_item(
                TableName=self.table.name,
                Key={"pk": {"S": pk}, "sk": {"S": sk}},
                UpdateExpression="ADD next_version :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        return int(from_item(answer["Attributes"])["next_version"])

    def get(self, municipality: str, roll_id: str) -> Item | None:
        """The roll, when it is this city's."""
        return self.table.get(keys.roll(municipality, roll_id))

    def find(self, roll_id: str) -> Item | None:
        """The roll by its id alone."""
        return self.table.follow(keys.pointer(roll_id))

    def newest(self, municipality: str) -> list[Item]:
        """The newest rolls of the city, newest first; two readings each, since chunks stand between them."""
        found: list[Item] = []
        partition, last = keys.roll(municipality, "~")
        while len(found) < LISTED_MAX:
            items = self.table.query(partition, upto=last, descending=True, limit=1)
            words = str(items[0]["sk"]).split("#") if items else []
            roll = self.get(municipality, words[1]) if words[:1] == ["ROLL"] else None
            if roll is None:
                break
            found.append(roll)
            # Above every chunk of the roll before this one, below this one: ids have the same length.
            last = keys.roll(municipality, f"{words[1][:-1]}{chr(ord(words[1][-1]) - 1)}~")[1]
        return found

    def versions(self, municipality: str) -> list[int]:
        """The versions that are visible, ascending."""
        return list((self.table.get(keys.roll_pointer(municipality)) or {}).get("versions", []))

    def move(self, roll: Item, changes: Mapping[str, Any], expected: str, extra: str = "") -> bool:
        """Changes the roll if its status is `expected` (and `extra` holds); whether it did."""
        condition = "#status = :expected" + (f" AND {extra}" if extra else "")
        key = keys.roll(roll["municipality"], roll["roll_id"])
        write = self.table.update(key, changes, condition, expected=expected)
        try:
            transact([write], mine=lambda: self._has(key, changes), dynamodb=self.table.dynamodb)
        except TransactionRefused:
            return False
        return True

    def _has(self, key: keys.Key, changes: Mapping[str, Any]) -> bool:
        item = self.table.get(key) or {}
        return all(item.get(name) == value for name, value in changes.items())

    def chunk_done(self, roll: Item, number: int) -> bool:
        """Whether this chunk was counted already."""
        return self.table.get(keys.roll_chunk(roll["municipality"], roll["roll_id"], number)) is not None

    def count_chunk(self, roll: Item, number: int, counts: Mapping[str, int]) -> None:
        """Counts one chunk, once however often the message comes.

        The sums grow by ADD, safely: the same transaction puts the chunk's own item, which a second attempt
        finds taken, and then nothing is added.
        """
        pk, sk = keys.roll(roll["municipality"], roll["roll_id"])
        added = {"chunks_done": 1, **counts}
        chunk = keys.roll_chunk(roll["municipality"], roll["roll_id"], number)
        grow = {
            "Update": {
                "TableName": self.table.name,
                "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
                "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in added),
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": {f"#{name}": name for name in added},
                "ExpressionAttributeValues": to_item({f":{name}": value for name, value in added.items()}),
            }
        }
        transact(
            [self.table.put_new(chunk, dict(counts)), grow],
            mine=lambda: self.table.get(chunk) is not None,
            dynamodb=self.table.dynamodb,
        )

    def show(self, roll: Item, versions: Sequence[int], changes: Mapping[str, Any], expected: str) -> bool:
        """Moves the city's pointer from the roll's base to `versions` and the roll on; whether it did.

        Both or neither: the pointer must stand where `roll` says (`shown_from`), the roll in `expected`.
        """
        base = list(roll["shown_from"])
        city = keys.roll_pointer(roll["municipality"])
        untouched = "versions = :base" if base else "(attribute_not_exists(versions) OR versions = :base)"
        key = keys.roll(roll["municipality"], roll["roll_id"])
        writes = [
            self.table.update(city, {"versions": list(versions)}, untouched, base=base),
            self.table.update(key, changes, "#status = :expected", expected=expected),
        ]
        try:
            transact(writes, mine=lambda: self._has(key, changes), dynamodb=self.table.dynamodb)
        except TransactionRefused:
            return False
        return True

    def duties_resting_on(self, municipality: str, version: int, now: datetime) -> list[Item]:
        """Duties that are paid, or being paid, by quotes that rest on this version."""
        marks = self.table.query(resting_marks(municipality, version), limit=RESTING_MARKS_MAX)
        wanted = {keys.duty(mark["vehicle_id"], year): mark for mark in marks for year in mark["years"]}
        found = batch_get(self.table, wanted)
        return [
            {
                "vehicle_id": wanted[key]["vehicle_id"],
                "year": int(key[0].rpartition("#")[2]),
                "plate": duty.get("plate"),
                "payment_id": duty.get("payment_id"),
                "status": duty.get("status"),
            }
            for key, duty in sorted(found.items())
            if duty.get("status") == "paid" or _leased(duty, now)
        ]


def _leased(duty: Item, now: datetime) -> bool:
    until = duty.get("lease_until_at")
    return duty.get("status") == "leased" and isinstance(until, str) and from_rfc3339(until) > now


@dataclass(slots=True)
class RollFiles:
    """Uploads, chunks and refused rows in the rolls' bucket."""

    bucket: str
    s3: Any

    def upload_url(self, municipality: str, roll_id: str) -> str:
        """A PUT address for the CSV, whatever content type the request names."""
        return str(
            self.s3.generate_presigned_url(
                "put_object",
                Params={"Bucket": self.bucket, "Key": upload_key(municipality, roll_id)},
                ExpiresIn=UPLOAD_URL_S,
            )
        )

    def refused_url(self, municipality: str, roll_id: str) -> str:
        """A GET address for the file of refused rows."""
        name = f"{municipality}-{roll_id}-refused.csv"
        return str(
            self.s3.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": refused_key(municipality, roll_id),
                    "ResponseContentType": "text/csv; charset=utf-8",
                    "ResponseContentDisposition": f'attachment; filename="{name}"',
                },
                ExpiresIn=REFUSED_URL_S,
            )
        )

    def lines(self, key: str) -> Iterator[str]:
        """The upload's lines as they are read from the network; nothing else is held."""
        with translated():
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            yield from TextIOWrapper(
                BufferedReader(_BodyFile(body), READ_BUFFER_BYTES), encoding="utf-8", newline=""
            )

    def put_chunk(self, key: str, chunk: Mapping[str, Any]) -> None:
        """Stores a chunk; a repeated check writes the same rows to the same place."""
        with translated():
            body = json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode()
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def put_facts(self, municipality: str, version: int, file: IO[bytes]) -> None:
        """Stores the roll's facts as columns (`avarez.fleet.columns`), for simulations and owed totals."""
        with translated():
            key = f"facts/{municipality}/{version:08d}.columns"
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=file, ContentType="application/octet-stream")

    def chunk(self, key: str) -> Any:
        """The chunk that `put_chunk` stored."""
        with translated():
            return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def put_refused(self, municipality: str, roll_id: str, file: IO[bytes]) -> None:
        """Stores the file of refused rows."""
        with translated():
            key = refused_key(municipality, roll_id)
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=file, ContentType="text/csv; charset=utf-8")


class _BodyFile(RawIOBase):
    """A streaming body as the raw file that a buffered reader wants."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@dataclass(slots=True)
class StageQueue:
    """Sends the numbers of chunks to be staged."""

    url: str
    sqs: Any

    def send(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Sends all messages; a repetition does no harm.

        Raises:
            OSError: some were not taken; the check as a whole is to be repeated.
        """
        every = list(messages)
        for start in range(0, len(every), SEND_BATCH_MAX):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(message)}
                for number, message in enumerate(every[start : start + SEND_BATCH_MAX])
            ]
            with translated():
                answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            if answer.get("Failed"):
                raise OSError("the queue did not take every message")


def upload_key(municipality: str, roll_id: str) -> str:
    return f"uploads/{municipality}/{roll_id}.csv"


def refused_key(municipality: str, roll_id: str) -> str:
    return f"refused/{municipality}/{roll_id}.csv"


def chunk_key(municipality: str, roll_id: str, number: int) -> str:
    return f"chunks/{municipality}/{roll_id}/{number:06d}.json"
