"""What rolls are charged, from the nightly receivables, and what the builder remembers of each chain, in S3."""

from __future__ import annotations

import json
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.errors import ReceivablesNotFound
from avarez.figures.files import Commitment
from avarez.figures.owed.rule import Basis, Charges, Owed
from avarez.figures.steps import Memory
from avarez.object_store import Bucket
from avarez.observability import log, metric
from avarez.receivables.table import TableUnsound
from avarez.receivables.table_store import ReceivablesShelf

MEMORY_PREFIX: Final = "memory/"
"""What the builder alone may read: a small count shows a vehicle as a small sum does, and duties name theirs."""


class Charging:
    """What the nightly receivables say of each city, and what the builder remembers by a commitment."""

    def __init__(self, receivables: ReceivablesShelf, bucket: str, s3: Any | None = None) -> None:
        self._receivables = receivables
        self._bucket = Bucket(bucket, s3)

    def charges(self, municipality: str) -> Charges | None:
        """What the city's newest table says that its roll is charged; None before the first, without its file, or
        where that is not what its name says, which rings the builder's alarm.

        Raises: ServiceBusy.
        """
        standing = self._receivables.standing(municipality)
        if standing is None:
            return None
        try:
            table = self._receivables.table(standing)
        except ReceivablesNotFound:
            return None
        except TableUnsound:
            metric("figures_refused", 1)
            log("charges_refused", level="error", municipality=municipality)
            return None
        of = table.commitment
        basis = Basis(of.as_of, of.roll_versions, of.tariff_version, of.sequence, of.hash)
        return Charges(basis, {duty: Owed(*charged) for duty, charged in table.charged.items()})

    def memory(self, municipality: str, at: Commitment) -> Memory | None:
        """What was kept for this commitment; None where there is nothing.

        Raises: ServiceBusy.
        """
        content = self._bucket.find(_memory_key(municipality, at))
        if content is None:
            return None
        told = json.loads(content)
        payers = {(str(year), str(vehicle_class)): int(count) for year, vehicle_class, count in told["payers"]}
        return Memory(payers, {(str(subject), str(year)) for subject, year in told["returned"]})

    def keep_memory(self, municipality: str, at: Commitment, memory: Memory) -> None:
        """Raises: ServiceBusy."""
        payers = [[*duty, count] for duty, count in sorted(memory.payers.items())]
        content = canonical_bytes({"payers": payers, "returned": [list(duty) for duty in sorted(memory.returned)]})
        self._bucket.put(_memory_key(municipality, at), content, "application/json")


def _memory_key(municipality: str, at: Commitment) -> str:
    return f"{MEMORY_PREFIX}{municipality}/{at.sequence}-{at.hash}.json"
