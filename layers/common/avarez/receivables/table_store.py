"""Tables of receivables where they are kept: files under their content's hash, and which one stands."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from avarez import keys
from avarez.canonical import canonical_bytes
from avarez.dynamo import Table, client, transact, translated
from avarez.errors import ReceivablesNotFound, TransactionRefused
from avarez.object_store import is_missing
from avarez.receivables.table import Commitment, Receivables, TableUnsound

if TYPE_CHECKING:
    from avarez.receivables.books import Books

PREFIX: Final = "receivables/"
_CONTENT_TYPES: Final = {
    "json": "application/json",
    "books": "application/json",
    "marks": "application/octet-stream",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The table that stands: its file, those that the next goes on from, what it rests on, when it was made."""

    table: str
    books: str
    marks: str
    commitment: Commitment
    computed_at: str


@dataclass(slots=True)
class ReceivablesShelf:
    """Over the duty table and the rolls' bucket. `s3` is made on first use."""

    duty: Table
    bucket: str
    s3: Any | None = None

    def standing(self, municipality: str) -> Standing | None:
        """The table that stands; None before the first one."""
        item = self.duty.get(keys.receivables(municipality))
        if item is None:
            return None
        return Standing(
            table=str(item["table"]),
            books=str(item["books"]),
            marks=str(item["marks"]),
            commitment=Commitment.from_json(item["commitment"]),
            computed_at=str(item["computed_at"]),
        )

    def replace(self, municipality: str, before: Standing | None, after: Standing) -> bool:
        """Whether `after` now stands in place of `before`; of two computations at once the second is dropped."""
        key = keys.receivables(municipality)
        item = {
            "table": after.table,
            "books": after.books,
            "marks": after.marks,
            "commitment": after.commitment.to_json(),
            "computed_at": after.computed_at,
        }
        if before is None:
            write = self.duty.put_new(key, item)
        else:
            write = self.duty.put(
                key, item, "marks = :marks AND computed_at = :at", marks=before.marks, at=before.computed_at
            )
        try:
            transact([write], mine=lambda: self.standing(municipality) == after, dynamodb=self.duty.dynamodb)
        except TransactionRefused:
            return False
        return True

    def table(self, standing: Standing) -> Receivables:
        """The table that stands.

        Raises:
            ReceivablesNotFound: its file is gone; the next night makes another one.
            TableUnsound: the file is not what its name says, or its sums are not those of its rows.
        """
        return Receivables.from_json(json.loads(self.read(standing.table)))

    def keep_table(self, table: Receivables) -> str:
        """The name of the kept table."""
        return self.keep(canonical_bytes(table.to_json()), table.municipality, "json")

    def keep_books(self, municipality: str, books: Books) -> str:
        """The name of the kept books, without their marks."""
        told = {
            "sequence": books.sequence,
            "hash": books.hash,
            "collected": [[year, name, str(rial)] for (year, name), rial in sorted(books.collected.items())],
            "apart": sorted(books.apart),
            "vehicles_apart": sorted(books.vehicles_apart),
        }
        return self.keep(canonical_bytes(told), municipality, "books")

    def books(self, standing: Standing) -> Books:
        """The books that the table rests on; their marks lie in `standing.marks`.

        Raises: ReceivablesNotFound, TableUnsound.
        """
        from avarez.receivables.books import Books

        told = json.loads(self.read(standing.books))
        return Books(
            sequence=int(told["sequence"]),
            hash=str(told["hash"]),
            collected={(int(year), str(name)): int(rial) for year, name, rial in told["collected"]},
            apart=set(told["apart"]),
            vehicles_apart=set(told["vehicles_apart"]),
        )

    def keep(self, content: bytes, municipality: str, form: str) -> str:
        """The name under which the content is kept."""
        name = f"{municipality}/{hashlib.sha256(content).hexdigest()}.{form}"
        with translated():
            self._client.put_object(
                Bucket=self.bucket, Key=PREFIX + name, Body=content, ContentType=_CONTENT_TYPES[form]
            )
        return name

    def read(self, name: str) -> bytes:
        """The content of this name.

        Raises: ReceivablesNotFound, TableUnsound (not what its name says).
        """
        with translated():
            try:
                content = bytes(self._client.get_object(Bucket=self.bucket, Key=PREFIX + name)["Body"].read())
            except ClientError as error:
                if is_missing(error):
                    raise ReceivablesNotFound() from error
                raise
        if name.rpartition("/")[2].partition(".")[0] != hashlib.sha256(content).hexdigest():
            raise TableUnsound(name)
        return content

    @property
    def _client(self) -> Any:
        return self.s3 or client("s3")
