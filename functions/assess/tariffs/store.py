"""The only place where drafts and versions of the tariff meet DynamoDB, S3 and SQS."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final

from avarez import keys
from avarez.assessment.tariff import Tariff, tariff_from_document
from avarez.canonical import canonical_bytes
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, batch_get, transact, translated
from avarez.errors import TransactionRefused
from functions.assess.tariffs.lifecycle import Draft

ANSWER_BYTES_MAX: Final = 4_000_000
"""Below the 6 MB that a function may answer with. Source: Lambda quotas, invocation payload."""
DOCUMENT_URL_S: Final = 600
LIST_MAX: Final = 200
"""Drafts and versions shown in one answer, the newest first."""


@dataclass(slots=True)
class DraftStore:
    """Drafts in the duty table, their files and the published documents in the tariff's bucket."""

    table: Table
    bucket: str
    s3: Any
    sqs: Any = None
    queue_url: str = ""
    _current: tuple[str, Tariff] | None = field(default=None, init=False)

    # -- drafts --------------------------------------------------------------------------------------

    def create(self, draft: Draft) -> None:
        """Stores a new draft and the pointer of its id."""
        key = keys.tariff_draft(draft["authority"], draft["tariff_id"])
        pointer = {**keys.leading_to(key), "authority": draft["authority"]}
        transact(
            [self.table.put_new(key, draft), self.table.put_new(keys.pointer(draft["tariff_id"]), pointer)],
            mine=lambda: self.table.get(key) is not None,
            dynamodb=self.table.dynamodb,
        )

    def get(self, authority: str, tariff_id: str) -> Draft | None:
        """The draft, when it is this authority's."""
        return self.table.get(keys.tariff_draft(authority, tariff_id))

    def find(self, tariff_id: str) -> Draft | None:
        """The draft by its id alone."""
        return self.table.follow(keys.pointer(tariff_id))

    def drafts(self, authority: str) -> list[Draft]:
        """The newest drafts of an authority, whatever became of them."""
        partition = keys.tariff_draft(authority, "")[0]
        return self.table.query(partition, "DRAFT#", limit=LIST_MAX, descending=True)

    def move(self, draft: Draft, changes: Mapping[str, Any]) -> bool:
        """Changes the draft if nobody else did since it was read; whether it did."""
        key = keys.tariff_draft(draft["authority"], draft["tariff_id"])
        revision = draft["revision"] + 1
        write = self.table.update(
            key, {**changes, "revision": revision}, "revision = :before", before=draft["revision"]
        )  # fmt: skip
        return self._written([write], key, {**changes, "revision": revision})

    def _written(self, writes: Sequence[Item], key: keys.Key, changes: Mapping[str, Any]) -> bool:
        def mine() -> bool:
            stands = self.table.get(key) or {}
            return all(stands.get(name) == value for name, value in changes.items())

        try:
            transact(writes, mine=mine, dynamodb=self.table.dynamodb)
        except TransactionRefused:
            return False
        return True

    # -- files ---------------------------------------------------------------------------------------

    def files(self, draft: Draft) -> dict[str, Any]:
        """The draft's files, parsed, by name."""
        return {name: self.file(draft, name) for name in draft["files"]}

    def file(self, draft: Draft, name: str) -> Any:
        """One file of the draft."""
        return json.loads(self._read(_file_key(draft, name)))

    def put_file(self, draft: Draft, name: str, content: Any) -> None:
        """Stores a file; the draft's list of names makes it part of the draft."""
        self._write(_file_key(draft, name), json.dumps(content, ensure_ascii=False).encode())

    def put_merged(self, draft: Draft, tariff: Tariff) -> None:
        """Stores the document that was checked, under its hash: what is published is this very object."""
        self._write(_version_key(tariff.content_hash), canonical_bytes(tariff.document))

    def _read(self, key: str) -> bytes:
        with translated():
            return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def _write(self, key: str, body: bytes) -> None:
        with translated():
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    # -- versions ------------------------------------------------------------------------------------

    def current(self) -> tuple[str, Tariff] | None:
        """The version in force, read from the table each time, and its tariff; None before the first."""
        pointer = self.table.get(keys.tariff_pointer())
        if pointer is None:
            return None
        version = str(pointer["tariff_hash"])
        if self._current is None or self._current[0] != version:
            self._current = (version, self.tariff(version))
        return self._current

    def tariff(self, version: str) -> Tariff:
        """The tariff of a stored document."""
        return tariff_from_document(json.loads(self._read(_version_key(version))))

    def version(self, version: str) -> Item | None:
        """What is recorded of a published version; None for a document that was checked and never published."""
        return self.table.get(keys.tariff_version(version))

    def versions(self) -> list[Item]:
        """The published versions, the newest first."""
        found = self.table.query(keys.tariff_version("")[0], "VERSION#", limit=LIST_MAX)
        return sorted(found, key=lambda item: str(item["published_at"]), reverse=True)

    def document(self, version: str) -> dict[str, Any]:
        """The document of a published version, or the address of one that is too large for an answer."""
        stored = self._read(_version_key(version))
        if len(stored) <= ANSWER_BYTES_MAX:
            return {"document": json.loads(stored)}
        place = {"Bucket": self.bucket, "Key": _version_key(version)}
        url = self.s3.generate_presigned_url("get_object", Params=place, ExpiresIn=DOCUMENT_URL_S)
        return {"document_url": str(url)}

    def publish(self, draft: Draft, changes: Mapping[str, Any], now: datetime) -> bool:
        """Makes the checked document the one in force, if that it was checked against still is; whether it did.

        One transaction: the pointer, the version's record, the superseded version's, the draft's.
        """
        base, version = str(draft["base_version"]), str(draft["merged_version"])
        key = keys.tariff_draft(draft["authority"], draft["tariff_id"])
        pointer = {"tariff_hash": version, "object_key": _version_key(version)}
        record = {
            "tariff_version": version,
            "supersedes": base or None,
            "tariff_id": draft["tariff_id"],
            "authority": draft["authority"],
            "title": draft["title"],
            "created_by": draft["created_by"],
            "approved_by": changes["approved_by"],
            "published_at": to_rfc3339(now),
        }
        writes = [
            self.table.put(keys.tariff_pointer(), pointer, "tariff_hash = :base", base=base)
            if base
            else self.table.put_new(keys.tariff_pointer(), pointer),
            self.table.put(keys.tariff_version(version), record),
            self.table.update(
                key,
                {**changes, "revision": draft["revision"] + 1},
                "revision = :before AND #status = :simulated",
                before=draft["revision"],
                simulated="simulated",
            ),
        ]
        superseded = self.version(base) if base else None
        if superseded is not None:
            ended = {"superseded_at": to_rfc3339(now), "superseded_by": version}
            writes.append(self.table.update(keys.tariff_version(base), ended, "attribute_exists(pk)"))
            if superseded.get("tariff_id"):
                earlier = keys.tariff_draft(superseded["authority"], superseded["tariff_id"])
                writes.append(self.table.update(earlier, {"status": "superseded"}, "attribute_exists(pk)"))
        return self._written(writes, key, changes)

    # -- simulations ---------------------------------------------------------------------------------

    def request_simulation(self, draft: Draft) -> None:
        """Tells the simulating function; a repetition simulates again and harms nothing."""
        message = {name: draft[name] for name in ("tariff_id", "authority", "merged_version")}
        with translated():
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(message))

    def put_simulation(self, draft: Draft, result: Mapping[str, Any]) -> None:
        """Stores a simulation beside the version that it is of."""
        self._write(_simulation_key(draft), json.dumps(result, ensure_ascii=False).encode())

    def simulation(self, draft: Draft) -> Any:
        """The stored simulation."""
        return json.loads(self._read(_simulation_key(draft)))


@dataclass(slots=True)
class RollFacts:
    """The columns that the rolls' check wrote of each roll version."""

    table: Table
    bucket: str
    s3: Any

    def versions(self, municipalities: Sequence[str]) -> dict[str, list[int]]:
        """The visible roll versions of each city that has any, ascending."""
        found = batch_get(self.table, map(keys.roll_pointer, municipalities))
        versions = {city: found.get(keys.roll_pointer(city), {}).get("versions", []) for city in municipalities}
        return {city: list(numbers) for city, numbers in versions.items() if numbers}

    def files(self, municipality: str, versions: Sequence[int]) -> Iterator[IO[bytes]]:
        """The column file of each version, in order."""
        for version in versions:
            with translated():
                key = f"facts/{municipality}/{version:08d}.columns"
                yield io.BytesIO(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())


def _file_key(draft: Draft, name: str) -> str:
    return f"drafts/{draft['tariff_id']}/{name}"


def _version_key(version: str) -> str:
    return f"tariffs/{version}.json"


def _simulation_key(draft: Draft) -> str:
    return f"simulations/{draft['tariff_id']}/{draft['merged_version']}.json"
