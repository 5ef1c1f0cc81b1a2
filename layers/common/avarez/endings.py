"""What is written when a certificate ends, besides its own record: its place in the status list says so then.

Whoever revokes or supersedes a certificate writes these items in the same transaction. The mark wakes the
publisher through the ledger's stream; should nobody be woken, the publisher finds the mark within a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez import keys
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.dynamo import Item, Table


def ending_writes(
    certificate: Mapping[str, Any], status: CertificateStatus, *, duty: Table, ledger: Table
) -> list[Item]:
    """Two items for a transaction; none for a certificate from before the status list, which has no place."""
    index = certificate.get("status_index")
    if index is None:
        return []
    shard, place = divmod(int(index), SHARD_PLACES)
    certificate_id = str(certificate["certificate_id"])
    return [
        duty.put(keys.status_end(shard, place), {"certificate_id": certificate_id, "status": status.value}),
        ledger.put(keys.status_mark(shard, certificate_id), {"certificate_id": certificate_id}),
    ]
