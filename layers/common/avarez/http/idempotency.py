"""Idempotency-Key for writes that may carry one: the same key and body get the first answer again.

For writes that a repetition does not harm, only wastes: a quote, a vehicle's card, a new roll. Two requests at the
same moment may both be carried out; both get the answer of whichever was remembered first. Payments remember
theirs inside their own transaction (functions/pay).
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from avarez import keys
from avarez.dynamo import Item, Table, transact
from avarez.errors import IdempotencyMismatch, TransactionRefused
from avarez.http.request import Request, parse_json
from avarez.http.router import Endpoint, Response
from avarez.settings import setting

LIFETIME: Final = timedelta(days=90)
REPLAYED_HEADER: Final = "idempotency-replayed"
_BODY_BYTES_MAX: Final = 4 << 20
"""The endpoint itself has looked at the size: no body that any of them takes is longer."""
_ANSWER_BYTES_MAX: Final = 300_000
"""DynamoDB takes items of 400 kB; a larger answer is given, but not remembered."""


def idempotent(now: Callable[[], datetime]) -> Callable[[Endpoint], Endpoint]:
    """Makes an endpoint replay: `DUTY_TABLE` keeps what was answered to a key for 90 days.

    Raises (the endpoint): IdempotencyMismatch when the key came with another body before.
    """

    def decorate(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        def replaying(request: Request) -> Response:
            key = request.idempotency_key
            if key is None:
                return endpoint(request)
            table = Table(setting("DUTY_TABLE"))
            memory = keys.idempotency(request.principal.username, request.route, key)
            digest = _digest(request)
            remembered = table.get(memory)
            if remembered is None:
                response = endpoint(request)
                remembered = _remember(table, memory, digest, response, now())
                if remembered is None:
                    return response
            return _replay(remembered, digest)

        return replaying

    return decorate


def _remember(table: Table, memory: keys.Key, digest: str, response: Response, now: datetime) -> Item | None:
    """Keeps the answer; somebody else's, when that was kept first."""
    text = json.dumps(response.body, ensure_ascii=False)
    if not 200 <= response.status < 300 or len(text.encode()) > _ANSWER_BYTES_MAX:
        return None
    item = {
        "body_hash": digest,
        "status": response.status,
        "headers": dict(response.headers),
        "answer": text,
        "expires_at_epoch": int((now + LIFETIME).timestamp()),
    }
    try:
        transact([table.put_new(memory, item)], dynamodb=table.dynamodb)
    except TransactionRefused:
        return table.get(memory)
    return None


def _replay(remembered: Item, digest: str) -> Response:
    if remembered["body_hash"] != digest:
        raise IdempotencyMismatch()
    headers = {**remembered["headers"], REPLAYED_HEADER: "true"}
    return Response(int(remembered["status"]), json.loads(remembered["answer"]), headers, outcome="replayed")


def _digest(request: Request) -> str:
    """Equal for bodies that mean the same JSON."""
    body = parse_json(request.raw_body, _BODY_BYTES_MAX) if request.raw_body else None
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
