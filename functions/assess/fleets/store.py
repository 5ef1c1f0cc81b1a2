"""The only place where fleets meet DynamoDB and SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avarez import keys
from avarez.dynamo import Table, transact, translated
from functions.assess.fleets.service import Fleet, Row

SEND_BATCH_MAX: Final = 10
"""Source: SQS API reference, SendMessageBatch."""
WRITE_MAX: Final = 90


@dataclass(slots=True)
class FleetStore:
    """A fleet is one partition: its record, and an item for each chunk with its plates and their verdicts."""

    table: Table
    sqs: Any = None
    queue_url: str = ""

    def create(self, fleet: Fleet, chunks: Sequence[Mapping[str, Any]]) -> None:
        """Stores the chunks first and the record last: a fleet that can be read is whole."""
        writes = [
            self.table.put_new(keys.fleet_chunk(fleet["fleet_id"], chunk["chunk"]), chunk) for chunk in chunks
        ]
        for start in range(0, len(writes), WRITE_MAX):
            first = keys.fleet_chunk(fleet["fleet_id"], start)
            transact(writes[start : start + WRITE_MAX], mine=self._stands(first), dynamodb=self.table.dynamodb)
        key = keys.fleet(fleet["fleet_id"])
        transact([self.table.put_new(key, fleet)], mine=self._stands(key), dynamodb=self.table.dynamodb)

    def _stands(self, key: keys.Key) -> Callable[[], bool]:
        return lambda: self.table.get(key) is not None

    def find(self, fleet_id: str) -> Fleet | None:
        """The fleet's record."""
        return self.table.get(keys.fleet(fleet_id))

    def chunk(self, fleet: Fleet, number: int) -> dict[str, Any]:
        """The plates of a chunk as they were given, and their verdicts where there are any."""
        return self.table.get(keys.fleet_chunk(fleet["fleet_id"], number)) or {"plates": [], "repeated": []}

    def put_rows(self, fleet: Fleet, number: int, rows: Sequence[Row], sums: Mapping[str, Any]) -> None:
        """Keeps the verdicts of a chunk over those of an earlier day or try, and its sums beside it."""
        key = keys.fleet_chunk(fleet["fleet_id"], number)
        changes = {"rows": list(rows), "as_of": sums["as_of"]}
        transact(
            [
                self.table.update(key, changes, "attribute_exists(pk)"),
                self.table.put(keys.fleet_sums(fleet["fleet_id"], number), sums),
            ],
            mine=lambda: (self.table.get(key) or {}).get("as_of") == sums["as_of"],
            dynamodb=self.table.dynamodb,
        )

    def sums(self, fleet: Fleet) -> list[dict[str, Any]]:
        """The sums of every chunk that was assessed, a few bytes each."""
        partition, prefix = keys.fleet_sums(fleet["fleet_id"], 0)
        return self.table.query(partition, prefix.partition("#")[0] + "#", limit=fleet["chunks"])

    def send(self, fleet: Fleet, chunks: Sequence[int]) -> None:
        """Asks for these chunks to be assessed; a repetition does no harm."""
        for start in range(0, len(chunks), SEND_BATCH_MAX):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"fleet_id": fleet["fleet_id"], "chunk": number})}
                for number in chunks[start : start + SEND_BATCH_MAX]
            ]
            with translated():
                answer = self.sqs.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
            if answer.get("Failed"):
                raise OSError("the queue did not take every message")
