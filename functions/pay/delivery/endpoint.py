"""A municipality's endpoint, and what each success and failure makes of it. Pure.

An endpoint never loses an event: its cursor says how far it is, and everything behind the cursor waits in the log.
Sources: Standard Webhooks 1.0.0, "Delivery" (order of ids, retries with jitter, 410); contract, "Webhooks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

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
    """What becomes of new events: `active` sends them, all others keep them waiting."""

    AWAITING_CHALLENGE = "awaiting_challenge"
    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a city's events go. `delivered` is the sequence of the last event that it has.

    `candidate_url` waits for its challenge; `url` is the one that passed it, empty before the first did.
    `generation` counts the secrets; the one before signs as well until `overlap_until`. `due_at` is when to try
    again after a failure, None while none is open; `alerted` is how many of `ALERTS` were given for it.
    """

    municipality: str
    endpoint_id: str
    registered_at: datetime
    registered_by: str
    url: str = ""
    candidate_url: str = ""
    state: State = State.AWAITING_CHALLENGE
    generation: int = 1
    overlap_until: datetime | None = None
    delivered: int = 0
    failing_since: datetime | None = None
    failures: int = 0
    due_at: datetime | None = None
    alerted: int = 0
    version: int = 0

    def wants(self, head: int, now: datetime) -> bool:
        """Whether an event should be sent now, the chain being at `head`."""
        called = self.state in (State.ACTIVE, State.PAUSED) and self.delivered < head
        return called and (self.due_at is None or self.due_at <= now)

    def generations(self, now: datetime) -> tuple[int, ...]:
        """The secrets that sign now, the newest first."""
        if self.overlap_until is not None and now < self.overlap_until and self.generation > 1:
            return self.generation, self.generation - 1
        return (self.generation,)


def confirmed(endpoint: Endpoint) -> Endpoint:
    """The candidate answered its challenge: it is the endpoint from now on, whatever the one before failed of."""
    url = endpoint.candidate_url or endpoint.url
    return _well(replace(endpoint, url=url, candidate_url="", state=State.ACTIVE))


def resumed(endpoint: Endpoint) -> Endpoint:
    """Tried again at once, because its owner says that it is back."""
    return _well(replace(endpoint, state=State.ACTIVE))


def rotated(endpoint: Endpoint, now: datetime) -> Endpoint:
    """With a new secret; the one that it had signs as well for a day."""
    return replace(endpoint, generation=endpoint.generation + 1, overlap_until=now + OVERLAP)


def replayed(endpoint: Endpoint, from_sequence: int) -> Endpoint:
    """Everything from this event on is sent again. Never forward: that would leave events out."""
    return replace(endpoint, delivered=min(endpoint.delivered, from_sequence - 1))


def succeeded(endpoint: Endpoint, sequence: int) -> Endpoint:
    """The event with this sequence is there."""
    return _well(replace(endpoint, delivered=sequence, state=State.ACTIVE))


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


def _well(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, failing_since=None, failures=0, due_at=None, alerted=0)
