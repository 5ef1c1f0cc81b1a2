"""The use case: a city's events, in their order, one after the other, to its endpoint.

An event is sent until the endpoint has it; the one behind it waits. The cursor moves after a few events at a time,
so a kill costs repetitions, which a receiver knows by the message's id, and never an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from avarez.canonical import canonical_bytes
from avarez.clock import Clock, to_rfc3339
from avarez.errors import TransactionRefused
from avarez.events.chain import Event
from avarez.webhooks import sign
from functions.pay.delivery.endpoints.endpoint import ALERTS, Endpoint, State, failed, settled, succeeded
from functions.pay.delivery.wire.secrets import WebhookSecrets
from functions.pay.delivery.wire.sending import Answer
from functions.pay.delivery.wire.target import Target, read_target

READ_MAX: Final = 100
SAVED_AFTER: Final = 25
"""Events between two moves of the cursor: what is repeated at most when a process dies."""
EXCERPT_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending, as it is kept for 90 days and shown to the city."""

    at: datetime
    event_id: str
    sequence: int
    status: int | None
    failure: str
    elapsed_ms: int
    address: str
    excerpt: str


class Log(Protocol):
    """The city's chain, read."""

    def read(self, municipality: str, *, after: int, limit: int = READ_MAX) -> Sequence[Event]:
        """At most `limit` events that follow sequence `after`, in their order."""


class EndpointStore(Protocol):
    """Where endpoints are."""

    def find(self, municipality: str) -> Endpoint | None:
        """The city's endpoint."""

    def save(self, before: Endpoint | None, after: Endpoint, attempts: Sequence[Attempt] = ()) -> Endpoint:
        """Writes `after` over `before`, with what was tried; answers it as it stands.

        Raises:
            TransactionRefused: it is not `before` any more.
        """


class Sends(Protocol):
    """The way out."""

    def reaches(self, target: Target) -> bool:
        """Whether the target has an address now that may be called."""

    def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        """What the endpoint said."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """What a sending needs besides the endpoint: the way out, the secrets, the clock, a chance from 0 to 1."""

    sender: Sends
    secrets: WebhookSecrets
    clock: Clock
    chance: Callable[[], float]
    loopback_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a run came to. `alert` is how long the endpoint has failed for, where that is to be told now."""

    events: int = 0
    waiting: bool = False
    alert: str = ""
    endpoint: Endpoint | None = None


def deliver(
    store: EndpointStore, log: Log, outbound: Outbound, municipality: str, time_left: Callable[[], bool]
) -> Delivered:
    """Sends what waits for this city, until it has everything, fails or the time is over."""
    endpoint = store.find(municipality)
    if endpoint is None:
        return Delivered()
    run = _Run(store, endpoint)
    events: Sequence[Event] = ()
    while time_left():
        run.endpoint = settled(run.endpoint, outbound.clock.now())
        events = log.read(municipality, after=run.endpoint.delivered, limit=READ_MAX)
        if not events or not run.endpoint.wants(events[-1].sequence, outbound.clock.now()):
            break
        for event in events:
            if not time_left() or not run.send(event, outbound):
                break
        if run.stopped:
            break
    run.save()
    waiting = bool(events) and not run.stopped and run.endpoint.delivered < events[-1].sequence
    return Delivered(run.count, waiting and run.endpoint.due_at is None, run.alert, run.endpoint)


@dataclass(slots=True)
class _Run:
    """One pass over an endpoint: where the cursor is, and what is not written of it yet."""

    store: EndpointStore
    saved: Endpoint
    endpoint: Endpoint = field(init=False)
    attempts: list[Attempt] = field(default_factory=list)
    count: int = 0
    stopped: bool = False
    alert: str = ""

    def __post_init__(self) -> None:
        self.endpoint = self.saved

    def send(self, event: Event, outbound: Outbound) -> bool:
        """Whether the endpoint has this event now."""
        now = outbound.clock.now()
        # Asked for each event: an address is called until its last millisecond, and not in the one after.
        self.endpoint = settled(self.endpoint, now)
        answer = post(self.endpoint, self.endpoint.url, event.event_id, body_of(event), outbound)
        self.attempts.append(attempt_of(event.event_id, event.sequence, answer, now))
        if answer.taken:
            self.count += 1
            self.endpoint = succeeded(self.endpoint, event.sequence)
            if len(self.attempts) >= SAVED_AFTER:
                self.save()
            return not self.stopped
        before = self.endpoint
        self.endpoint = failed(before, answer, outbound.clock.now(), outbound.chance())
        if self.endpoint.state is State.GONE and before.state is not State.GONE:
            self.alert = "gone"
        elif self.endpoint.alerted > before.alerted:
            self.alert = f"{ALERTS[self.endpoint.alerted - 1] / ALERTS[0]:.0f} h"
        self.save()
        self.stopped = True
        return False

    def save(self) -> None:
        """Writes what was done. Somebody else's change (a rotation, a replay) stands, and ends this run."""
        if not self.attempts:
            return
        try:
            self.saved = self.endpoint = self.store.save(self.saved, self.endpoint, self.attempts)
        except TransactionRefused:
            self.stopped = True
        self.attempts = []


def body_of(event: Event) -> bytes:
    """The message of an event, the same bytes whenever it is sent: what `message_body` makes of its data.

    The chain's text of it is not encoded again: it stands first in the order of the message's members.
    """
    timestamp, kind = canonical_bytes(str(event.data["occurred_at"])), canonical_bytes(str(event.data["type"]))
    return b'{"data":%b,"timestamp":%b,"type":%b}' % (event.canonical.encode(), timestamp, kind)


def message_body(kind: str, timestamp: str, data: Any) -> bytes:
    """`{"type", "timestamp", "data"}`. Source: Standard Webhooks 1.0.0, "Payload structure"."""
    return canonical_bytes({"type": kind, "timestamp": timestamp, "data": data})


def post(endpoint: Endpoint, url: str, message_id: str, body: bytes, outbound: Outbound) -> Answer:
    """Signs a message by the endpoint's secrets of this moment, and sends it to `url`."""
    now = outbound.clock.now()
    secrets = [
        outbound.secrets.secret(endpoint.municipality, endpoint.endpoint_id, generation)
        for generation in endpoint.generations(now)
    ]
    headers = {"content-type": "application/json", "user-agent": "Avarez-Webhooks/1"}
    headers |= sign(message_id, now, body, secrets)
    target = read_target(url, loopback_allowed=outbound.loopback_allowed)
    return outbound.sender.post(target, headers, body)


def attempt_of(event_id: str, sequence: int, answer: Answer, at: datetime) -> Attempt:
    """What is kept of a sending; of an answer's body, what helps to find out why it was none."""
    excerpt = "" if answer.taken else answer.body.decode("utf-8", "replace")[:EXCERPT_CHARACTERS_MAX]
    failure = answer.failure.value if answer.failure else ""
    return Attempt(at, event_id, sequence, answer.status, failure, answer.elapsed_ms, answer.address, excerpt)


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """An attempt as it is shown."""
    return {
        "at": to_rfc3339(attempt.at),
        "event_id": attempt.event_id,
        "sequence": attempt.sequence,
        "status": attempt.status,
        "failure": attempt.failure or None,
        "elapsed_ms": attempt.elapsed_ms,
        "address": attempt.address,
        "answer": attempt.excerpt,
    }
