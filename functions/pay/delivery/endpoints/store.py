"""Endpoints and what was tried, in DynamoDB: two partitions of each city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, batch_get, transact
from functions.pay.delivery.endpoints.endpoint import Endpoint, State, settled
from functions.pay.delivery.service import Attempt

KEPT: Final = timedelta(days=90)
"""Attempts are shown as long as events can be replayed."""


class EndpointTable:
    """Endpoints in the ledger table, beside the chain that they follow."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def find(self, municipality: str) -> Endpoint | None:
        """The city's endpoint, read consistently."""
        item = self._ledger.get(keys.webhook_endpoint(municipality))
        return None if item is None else endpoint_from(item)

    def behind(self, municipalities: Sequence[str], now: datetime) -> list[str]:
        """The cities whose endpoints should be sent something now."""
        places = [keys.webhook_endpoint(code) for code in municipalities]
        endpoints = [settled(endpoint_from(item), now) for item in batch_get(self._ledger, places).values()]
        called = [endpoint for endpoint in endpoints if endpoint.state in (State.ACTIVE, State.PAUSED)]
        heads = batch_get(self._ledger, [keys.chain_head(endpoint.municipality) for endpoint in called])
        far = {item["municipality"]: int(item["sequence"]) for item in heads.values()}
        return sorted(
            endpoint.municipality for endpoint in called if endpoint.wants(far.get(endpoint.municipality, 0), now)
        )

    def save(self, before: Endpoint | None, after: Endpoint, attempts: Sequence[Attempt] = ()) -> Endpoint:
        """One transaction of the endpoint and what was tried.

        Raises:
            TransactionRefused: somebody else changed the endpoint.
        """
        key = keys.webhook_endpoint(after.municipality)
        if before is None:
            saved = replace(after, version=1)
            writes = [self._ledger.put_new(key, endpoint_item(saved))]
        else:
            saved = replace(after, version=before.version + 1)
            writes = [self.write(before, after)]
        if attempts:
            place = keys.webhook_attempts(
                after.municipality, f"{to_rfc3339(attempts[-1].at)}#{saved.version:012d}"
            )
            writes.append(self._ledger.put(place, attempts_item(attempts)))
        transact(writes, mine=lambda: self.find(after.municipality) == saved, dynamodb=self._ledger.dynamodb)
        return saved

    def write(self, before: Endpoint, after: Endpoint) -> Item:
        """The part of somebody's transaction that puts `after` over `before`."""
        saved = replace(after, version=before.version + 1)
        key = keys.webhook_endpoint(after.municipality)
        return self._ledger.put(key, endpoint_item(saved), "#version = :version", version=before.version)

    def attempts(self, municipality: str, limit: int) -> list[Attempt]:
        """The last `limit` attempts, the newest first."""
        partition, _ = keys.webhook_attempts(municipality, "")
        found: list[Attempt] = []
        for item in self._ledger.query(partition, descending=True, limit=limit):
            found += reversed([attempt_from(row) for row in item["attempts"]])
            if len(found) >= limit:
                break
        return found[:limit]


def endpoint_item(endpoint: Endpoint) -> Item:
    return {
        "municipality": endpoint.municipality,
        "endpoint_id": endpoint.endpoint_id,
        "registered_at": to_rfc3339(endpoint.registered_at),
        "registered_by": endpoint.registered_by,
        "url": endpoint.url,
        "candidate_url": endpoint.candidate_url,
        "candidate_proved": endpoint.candidate_proved,
        "next_url": endpoint.next_url,
        "next_url_from": _text(endpoint.next_url_from),
        "state": endpoint.state.value,
        "generation": endpoint.generation,
        "handed_out": endpoint.handed_out,
        "previous_generation": endpoint.previous_generation,
        "next_generation": endpoint.next_generation,
        "next_generation_from": _text(endpoint.next_generation_from),
        "overlap_until": _text(endpoint.overlap_until),
        "delivered": endpoint.delivered,
        "failing_since": _text(endpoint.failing_since),
        "failures": endpoint.failures,
        "due_at": _text(endpoint.due_at),
        "alerted": endpoint.alerted,
        "version": endpoint.version,
    }


def endpoint_from(item: Item) -> Endpoint:
    """The endpoint in an item.

    Raises:
        KeyError, ValueError: the item is none of ours.
    """
    # Items from before there were guarded changes lack what these added.
    generation = int(item["generation"])
    return Endpoint(
        municipality=str(item["municipality"]),
        endpoint_id=str(item["endpoint_id"]),
        registered_at=from_rfc3339(item["registered_at"]),
        registered_by=str(item["registered_by"]),
        url=str(item["url"]),
        candidate_url=str(item["candidate_url"]),
        candidate_proved=bool(item.get("candidate_proved", False)),
        next_url=str(item.get("next_url", "")),
        next_url_from=_time(item, "next_url_from"),
        state=State(item["state"]),
        generation=generation,
        handed_out=int(item.get("handed_out", generation)),
        previous_generation=int(item.get("previous_generation", generation - 1)),
        next_generation=int(item.get("next_generation", 0)),
        next_generation_from=_time(item, "next_generation_from"),
        overlap_until=_time(item, "overlap_until"),
        delivered=int(item["delivered"]),
        failing_since=_time(item, "failing_since"),
        failures=int(item["failures"]),
        due_at=_time(item, "due_at"),
        alerted=int(item["alerted"]),
        version=int(item["version"]),
    )


def attempts_item(attempts: Sequence[Attempt]) -> Item:
    rows: list[dict[str, Any]] = [
        {
            "at": to_rfc3339(attempt.at),
            "event_id": attempt.event_id,
            "sequence": attempt.sequence,
            "status": attempt.status,
            "failure": attempt.failure,
            "elapsed_ms": attempt.elapsed_ms,
            "address": attempt.address,
            "excerpt": attempt.excerpt,
        }
        for attempt in attempts
    ]
    return {"attempts": rows, "expires_at_epoch": int((attempts[-1].at + KEPT).timestamp())}


def attempt_from(row: Item) -> Attempt:
    status = row.get("status")
    return Attempt(
        at=from_rfc3339(row["at"]),
        event_id=str(row["event_id"]),
        sequence=int(row["sequence"]),
        status=None if status is None else int(status),
        failure=str(row["failure"]),
        elapsed_ms=int(row["elapsed_ms"]),
        address=str(row["address"]),
        excerpt=str(row["excerpt"]),
    )


def _text(when: datetime | None) -> str | None:
    return None if when is None else to_rfc3339(when)


def _time(item: Item, name: str) -> datetime | None:
    text = item.get(name)
    return None if text is None else from_rfc3339(text)
