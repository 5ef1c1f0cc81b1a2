"""Witnesses and their cosignatures in DynamoDB."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import transact
from avarez.errors import TransactionRefused, WitnessKeyRefused
from functions.certify.log.stores.tree_store import LogTable

WITNESSES_MAX: Final = 2_000
"""One a city; there are some 1,350."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A city's witness, and the largest tree that it cosigned (0: none yet)."""

    municipality: str
    key: str
    size: int
    seen_at: datetime | None


class WitnessTable(LogTable):
    """The rows of witnesses, beside the log's."""

    def log_key(self) -> str | None:
        """The log's public key, once there is a checkpoint."""
        row = self.published()
        return None if row is None else str(row["key"])

    def find(self, municipality: str) -> Witness | None:
        """The city's witness."""
        row = self._duty.get(keys.log_witness(municipality))
        return None if row is None else _witness(row)

    def every(self) -> list[Witness]:
        """All witnesses, by their cities' codes."""
        return [_witness(row) for row in self._duty.query(keys.log_witnesses(), limit=WITNESSES_MAX)]

    def register(self, municipality: str, key: str, public_key_hex: str, now: datetime) -> None:
        """The city's key; a key that stands for another city is refused, since one key is one witness.

        Raises: WitnessKeyRefused.
        """
        taken = keys.log_witness_key(public_key_hex)
        row = {"key": key, "municipality": municipality, "registered_at": to_rfc3339(now), "size": 0}
        write = [
            self._duty.put(
                taken,
                {"municipality": municipality},
                "attribute_not_exists(pk) OR #municipality = :municipality",
                municipality=municipality,
            ),
            self._duty.put(keys.log_witness(municipality), row),
        ]
        try:
            transact(write, dynamodb=self._duty.dynamodb)
        except TransactionRefused as refused:
            raise WitnessKeyRefused() from refused

    def keep(self, municipality: str, size: int, line: str, seen_at: datetime) -> None:
        """The city's line under the checkpoint of this size, the first one for each size and key."""
        with contextlib.suppress(TransactionRefused):  # it stands already
            put = self._duty.put_new(keys.log_cosignature(size, municipality), {"line": line})
            transact([put], dynamodb=self._duty.dynamodb)
        with contextlib.suppress(TransactionRefused):  # a larger tree was cosigned already
            update = self._duty.update(
                keys.log_witness(municipality),
                {"size": size, "seen_at": to_rfc3339(seen_at)},
                "#size < :size",
                size=size,
            )
            transact([update], dynamodb=self._duty.dynamodb)


def _witness(row: dict[str, object]) -> Witness:
    seen_at = row.get("seen_at")
    return Witness(
        str(row["municipality"]),
        str(row["key"]),
        int(str(row["size"])),
        from_rfc3339(str(seen_at)) if seen_at else None,
    )
