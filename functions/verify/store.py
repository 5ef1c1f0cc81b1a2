"""What verification reads from DynamoDB: the record behind an id, and the public keys."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Final

from avarez import keys
from avarez.certificates.jwks import KEYS_MAX, KeySet, read_keys
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord
from avarez.dynamo import Item, Table, batch_get

#: A new key is published before anything is signed with it; a minute's delay shows as `unknown` for that long,
#: so a key that is missing is looked for at once.
KEYS_KEPT_S: Final = 60.0

PUBLIC_MEMBERS: Final = (
    "kty",
    "crv",
    "x",
    "y",
    "alg",
    "use",
    "kid",
    "status",
    "not_before_at",
    "not_after_at",
    "compromised_at",
)
"""What `jwks.published` writes; where the private half lies stays with us."""


def _record(item: Item) -> IssuedRecord:
    return IssuedRecord(
        status=CertificateStatus(item["status"]),
        message=bytes(item["cose"]) if item.get("cose") else None,
        pdf_sha256=item.get("pdf_sha256"),
        pdf_a5_sha256=item.get("pdf_a5_sha256"),
        superseded_by=item.get("superseded_by"),
    )


class Register:
    """The certificates that were issued, and the keys that they were signed with."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty
        self._keys: dict[str, object] | None = None
        self._keys_read_at = 0.0

    def find(self, certificate_id: str) -> IssuedRecord | None:
        """What we know of this id, read consistently; None when we issued no such certificate."""
        item = self._duty.follow(keys.pointer(certificate_id))
        return None if item is None else _record(item)

    def find_many(self, certificate_ids: Collection[str]) -> dict[str, IssuedRecord]:
        """What we know of these ids, by id, read consistently and a hundred at a time; others are left out.

        Raises: ServiceBusy.
        """
        pointers = batch_get(self._duty, map(keys.pointer, certificate_ids))
        targets = {pk_sk: keys.target(pointer) for pk_sk, pointer in pointers.items()}
        items = batch_get(self._duty, targets.values())
        found = ((one, items.get(targets.get(keys.pointer(one), ("", "")))) for one in certificate_ids)
        return {one: _record(item) for one, item in found if item is not None}

    def certificate_of_code(self, code: str, plate: str) -> str | None:
        """The newest certificate of this plate with this short code, read consistently; None without one."""
        partition, prefix = keys.certificate_code(code, plate, "")
        rows = self._duty.query(partition, prefix, limit=1, descending=True)
        return str(rows[0]["certificate_id"]) if rows else None

    def key_document(self, *, fresh: bool = False) -> dict[str, object]:
        """The JWK set with every key that ever signed, kept for a minute unless `fresh`."""
        now = time.monotonic()
        if self._keys is None or fresh or now - self._keys_read_at > KEYS_KEPT_S:
            rows = self._duty.query(*keys.signing_key(""), limit=KEYS_MAX)
            self._keys = {"keys": [{name: row[name] for name in PUBLIC_MEMBERS if name in row} for row in rows]}
            self._keys_read_at = now
        return self._keys

    def signed_keys(self) -> str | None:
        """The key history as the root key signed it last; None before the first time."""
        item = self._duty.get(keys.key_history())
        return None if item is None else str(item["token"])

    def root_key(self) -> dict[str, object] | None:
        """The root's public key, to be kept by verifiers; None before the first time."""
        item = self._duty.get(keys.root_key())
        return None if item is None else {name: item[name] for name in PUBLIC_MEMBERS if name in item}

    def keys(self, *, fresh: bool = False) -> KeySet:
        """The same keys, ready to verify with."""
        return read_keys(self.key_document(fresh=fresh))

    def logged_before(self, message: bytes, instant: datetime) -> bool | None:
        """What the log's register says (`LogRegister.logged_before`); rarely asked, and imported when it is.

        Raises: ServiceBusy.
        """
        from avarez.transparency.register import LogRegister

        return LogRegister(self._duty).logged_before(message, instant)

    def reach(self) -> None:
        """Returns when the table answers.

        Raises: ServiceBusy.
        """
        self._duty.get(keys.tariff_pointer())
