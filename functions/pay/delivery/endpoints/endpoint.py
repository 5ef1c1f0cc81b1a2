"""A municipality's endpoint, and what each success and failure makes of it. Pure.

An endpoint never loses an event: its cursor says how far it is, and everything behind the cursor waits in the log.
Sources: Standard Webhooks 1.0.0, "Delivery" (order of ids, retries with jitter, 410); contract, "Webhooks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from avarez.changed import changed
from functions.pay.delivery.wire.sending import Answer

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=30)
"""With its jitter below an hour: what waited is on its way within an hour of the endpoint's return."""
JITTER: Final = 0.25
"""Of a wait, up or down, so that endpoints that failed together do not come back together."""
DOUBLINGS_MAX: Final = 16
RETRY_AFTER_MAX: Final = timedelta(hours=1)
FAILING_MAX: Final = timedelta(days=14)
"""Who has failed for so long is paused: asked once a day from then on."""
PAUSED_WAIT: Final = timedelta(days=1)
ALERTS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=5), FAILING_MAX)
OVERLAP: Final = timedelta(days=1)
"""How long both secrets sign after a rotation. Source: reliability scenario 28."""
GONE: Final = 410


class State(StrEnum):
    """What becomes of new events: `active` sends them, all others keep them waiting; `stopped` by an officer."""

    AWAITING_CHALLENGE = "awaiting_challenge"
    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a city's events go. `delivered` is the sequence of the last event that it has.

    `url` is the address in force, empty before a first one passed its challenge. `candidate_url` waits for its
    challenge, and after it for a second person; `next_url` was approved: the address from `next_url_from` on.
    `generation` is the secret in force, `next_generation` the one that takes its place at `next_generation_from`,
    once that is approved, and that signs as well from its making on; `previous_generation` signs until
    `overlap_until`. `handed_out` is the last generation that anybody has seen: none is ever given twice.
    `due_at` is when to try again after a failure, None while none is open; `alerted` is how many of `ALERTS` were
    given for it.
    """

    municipality: str
    endpoint_id: str
    registered_at: datetime
    registered_by: str
    url: str = ""
    candidate_url: str = ""
    candidate_proved: bool = False
    next_url: str = ""
    next_url_from: datetime | None = None
    state: State = State.AWAITING_CHALLENGE
    generation: int = 1
    handed_out: int = 1
    previous_generation: int = 0
    overlap_until: datetime | None = None
    next_generation: int = 0
    next_generation_from: datetime | None = None
    delivered: int = 0
    failing_since: datetime | None = None
    failures: int = 0
    due_at: datetime | None = None
    alerted: int = 0
    version: int = 0

    def wants(self, head: int, now: datetime) -> bool:
        """Whether an event should be sent now, the chain being at `head`."""
        stands = settled(self, now)
        called = stands.state in (State.ACTIVE, State.PAUSED) and stands.delivered < head
        return called and (stands.due_at is None or stands.due_at <= now)

    def generations(self, now: datetime) -> tuple[int, ...]:
        """The secrets that sign now, the newest first: whoever knows any of those that may be in use can check."""
        stands = settled(self, now)
        overlaps = stands.overlap_until is not None and now < stands.overlap_until
        found = (stands.next_generation, stands.generation, stands.previous_generation if overlaps else 0)
        return tuple(generation for generation in found if generation)


def settled(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint with whatever has come into force by now; a new address begins without failures."""
    if endpoint.next_url and endpoint.next_url_from is not None and endpoint.next_url_from <= now:
        moved = replace(endpoint, url=endpoint.next_url, next_url="", next_url_from=None, state=State.ACTIVE)
        endpoint = _well(moved)
    since = endpoint.next_generation_from
    if endpoint.next_generation and since is not None and since <= now:
        endpoint = replace(
            endpoint,
            previous_generation=endpoint.generation,
            overlap_until=since + OVERLAP,
            generation=endpoint.next_generation,
            next_generation=0,
            next_generation_from=None,
        )
    return endpoint


def confirmed(endpoint: Endpoint) -> Endpoint:
    """The address answered its challenge: a first one is the endpoint now, another one waits for its change."""
    if endpoint.url and endpoint.candidate_url not in ("", endpoint.url):
        return replace(endpoint, candidate_proved=True)
    url = endpoint.candidate_url or endpoint.url
    state = State.STOPPED if endpoint.state is State.STOPPED else State.ACTIVE
    return _well(endpoint, url=url, candidate_url="", candidate_proved=False, state=state)


def stopped(endpoint: Endpoint) -> Endpoint:
    """Nothing is sent until it is resumed, or another address is in force."""
    return replace(endpoint, state=State.STOPPED)


def resumed(endpoint: Endpoint) -> Endpoint:
    """Tried again at once, because its owner says that it is back."""
    return _well(endpoint, state=State.ACTIVE)


def rotated(endpoint: Endpoint) -> Endpoint:
    """With a new secret at once: nobody checks by the one before, since no address is in force yet."""
    following = endpoint.handed_out + 1
    return replace(endpoint, generation=following, handed_out=following)


def replayed(endpoint: Endpoint, from_sequence: int) -> Endpoint:
    """Everything from this event on is sent again. Never forward: that would leave events out."""
    return replace(endpoint, delivered=min(endpoint.delivered, from_sequence - 1))


def succeeded(endpoint: Endpoint, sequence: int) -> Endpoint:
    """The event with this sequence is there."""
    return _well(endpoint, delivered=sequence, state=State.ACTIVE)


def failed(endpoint: Endpoint, answer: Answer, now: datetime, chance: float) -> Endpoint:
    """The next event is not there yet; `chance` is from 0 to 1 and spreads the next try."""
    since = endpoint.failing_since or now
    failures = endpoint.failures + 1
    if answer.status == GONE:
        return replace(endpoint, state=State.GONE, failing_since=since, failures=failures, due_at=None)
    paused = now - since >= FAILING_MAX
    wait = PAUSED_WAIT if paused else wait_after(failures, chance)
    if answer.retry_after_s is not None:
        wait = max(wait, min(timedelta(seconds=answer.retry_after_s), RETRY_AFTER_MAX))
    return replace(
        endpoint,
        state=State.PAUSED if paused else endpoint.state,
        failing_since=since,
        failures=failures,
        due_at=now + wait,
        alerted=max(endpoint.alerted, sum(now - since >= age for age in ALERTS)),
    )


def wait_after(failures: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row: twice as long each time, up to half an hour."""
    doubled = FIRST_WAIT * (1 << min(failures - 1, DOUBLINGS_MAX))
    spread: float = 1 - JITTER + 2 * JITTER * chance
    return min(doubled, LONGEST_WAIT) * spread


def _well(endpoint: Endpoint, **changes: Any) -> Endpoint:
    return changed(endpoint, failing_since=None, failures=0, due_at=None, alerted=0, **changes)
