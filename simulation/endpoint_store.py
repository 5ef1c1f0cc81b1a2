"""Cities' endpoints in memory, under the condition that the table has: whoever writes knew the version before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from avarez.errors import TransactionRefused
from functions.pay.delivery.endpoints.endpoint import Endpoint
from functions.pay.delivery.service import Attempt


class MemoryEndpoints:
    """Where endpoints are; what was tried is counted."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.attempts = 0

    def find(self, municipality: str) -> Endpoint | None:
        return self.endpoints.get(municipality)

    def save(self, before: Endpoint | None, after: Endpoint, attempts: Sequence[Attempt] = ()) -> Endpoint:
        stands = self.endpoints.get(after.municipality)
        if (stands.version if stands else 0) != (before.version if before else 0):
            raise TransactionRefused(["ConditionalCheckFailed"])
        saved = replace(after, version=before.version + 1 if before else 1)
        self.endpoints[after.municipality] = saved
        self.attempts += len(attempts)
        return saved
