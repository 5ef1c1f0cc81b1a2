"""Bank files in DynamoDB and SQS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact, translated
from functions.pay.bank_files.service import BankFile, FileChunk, file_from, file_item

SEND_BATCH_MAX: Final = 10
"""Source: SQS API reference, SendMessageBatch."""
WRITES_MAX: Final = 50
"""Chunks of a transaction: each has a few kilobytes, and a transaction at most four megabytes."""


class BankFileTable:
    """A file is one partition: its record, and for each chunk the lines and, apart from them, their outcomes."""

    def __init__(self, duty: Table, sqs: Any = None, queue_url: str = "") -> None:
        self._duty = duty
        self._sqs = sqs
        self._queue_url = queue_url

    def find(self, file_id: str) -> BankFile | None:
        item = self._duty.get(keys.bank_file(file_id))
        return None if item is None else file_from(item)

    def known(self, bank: str, content_sha256: str) -> str | None:
        item = self._duty.get(keys.bank_file_content(bank, content_sha256))
        return None if item is None else str(item["file_id"])

    def create(self, file: BankFile, chunks: Sequence[FileChunk]) -> None:
        writes: list[Item] = []
        for chunk in chunks:
            writes += [
                self._duty.put(keys.bank_file_lines(file.file_id, chunk.number), {"text": chunk.text}),
                self._duty.put(keys.bank_file_chunk(file.file_id, chunk.number), _outcomes(chunk)),
            ]
        for start in range(0, len(writes), WRITES_MAX):
            transact(writes[start : start + WRITES_MAX], dynamodb=self._duty.dynamodb)
        due_at = to_rfc3339(file.open_due_at) if file.open_due_at else ""
        transact(
            [
                self._duty.put_new(keys.bank_file(file.file_id), file_item(file)),
                self._duty.put_new(
                    keys.bank_file_content(file.bank, file.content_sha256), {"file_id": file.file_id}
                ),
                self._duty.put(keys.open_payment(file.file_id, due_at), {"payment_id": file.file_id}),
            ],
            mine=lambda: self.find(file.file_id) == file,
            dynamodb=self._duty.dynamodb,
        )

    def chunk(self, file: BankFile, number: int) -> FileChunk | None:
        lines = self._duty.get(keys.bank_file_lines(file.file_id, number))
        outcomes = self._duty.get(keys.bank_file_chunk(file.file_id, number))
        if lines is None or outcomes is None:
            return None
        return FileChunk(number, str(lines["text"]), outcomes["outcomes"], bool(outcomes["done"]))

    def keep(self, file: BankFile, chunk: FileChunk) -> None:
        """Whoever comes later has met the same lines, so the last word is as good as the first."""
        transact(
            [self._duty.put(keys.bank_file_chunk(file.file_id, chunk.number), _outcomes(chunk))],
            dynamodb=self._duty.dynamodb,
        )

    def progress(self, file: BankFile) -> Sequence[FileChunk]:
        partition, first = keys.bank_file_chunk(file.file_id, 0)
        found = self._duty.query(partition, first.partition("#")[0] + "#", limit=file.chunks)
        return [FileChunk(int(item["number"]), "", item["outcomes"], bool(item["done"])) for item in found]

    def move(self, before: BankFile, after: BankFile) -> None:
        old = to_rfc3339(before.open_due_at) if before.open_due_at else ""
        new = to_rfc3339(after.open_due_at) if after.open_due_at else ""
        writes = [self._duty.put(keys.bank_file(after.file_id), file_item(after), "attribute_exists(pk)")]
        if old != new and old:
            writes.append(self._duty.delete(keys.open_payment(after.file_id, old)))
        if old != new and new:
            writes.append(self._duty.put(keys.open_payment(after.file_id, new), {"payment_id": after.file_id}))
        transact(writes, mine=lambda: self.find(after.file_id) == after, dynamodb=self._duty.dynamodb)

    def send(self, file: BankFile, chunks: Sequence[int]) -> None:
        """Asks for these chunks to be worked on; a repetition does no harm."""
        for start in range(0, len(chunks), SEND_BATCH_MAX):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"bank_file_id": file.file_id, "chunk": number})}
                for number in chunks[start : start + SEND_BATCH_MAX]
            ]
            with translated():
                self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)


def _outcomes(chunk: FileChunk) -> Item:
    return {"number": chunk.number, "outcomes": dict(chunk.outcomes), "done": chunk.done}
