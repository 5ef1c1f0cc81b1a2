"""The cities: each has a program of its own that takes its events, and that is down, slow, gone or forgetful.

What brings the events is the real code of deliveries over the store in memory. A city's program shares no code
with it: it knows the signature by the standard's own words, and keeps what it took.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from avarez.ids import new_id
from functions.pay.delivery.endpoints.endpoint import Endpoint, confirmed, replayed, resumed, settled, stopped
from functions.pay.delivery.service import Outbound, deliver
from functions.pay.delivery.wire.secrets import WebhookSecrets
from functions.pay.delivery.wire.sending import Answer, Failure
from functions.pay.delivery.wire.target import Target
from simulation.endpoint_store import MemoryEndpoints

if TYPE_CHECKING:
    from simulation.world import World

MASTER = "the simulator's cities have no secrets"
OFFICER = "officer"
SENDINGS_PER_RUN = 400
"""What a worker has time for; the rest is woken for again."""
WAKE_AFTER_S = 2
AGAIN_AFTER_S = 60
"""An officer whose page broke tries again."""
LONG_OUTAGES = 0.02
REPLAYED_MAX = 60
LONG_OUTAGE = timedelta(days=40)
"""Longer than the fortnight after which an endpoint is paused."""


@dataclass
class Receiver:
    """A city's program: `taken` is what it has by the message's id, in the order in which it came first."""

    secret: bytes = b""
    taken: dict[str, bytes] = field(default_factory=dict)
    down_until: datetime | None = None
    gone: bool = False
    wrong: list[str] = field(default_factory=list)
    """Messages that said something else when they came again."""

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        """204 when it has the message now. Source: Standard Webhooks 1.0.0, "Verifying webhook authenticity"."""
        message_id = headers["webhook-id"]
        signed = f"{message_id}.{headers['webhook-timestamp']}.".encode() + body
        told = headers["webhook-signature"].split(" ")
        if "v1," + base64.b64encode(hmac.digest(self.secret, signed, "sha256")).decode() not in told:
            return Answer(401)
        digest = sha256(body).digest()
        if self.taken.setdefault(message_id, digest) != digest:
            self.wrong.append(f"{message_id}: says something else than before")
        return Answer(204)


class Cities:
    """Deliveries to every city's receiver, and the officers who stop, resume and replay."""

    def __init__(self, world: World, names: tuple[str, ...]) -> None:
        self.w = world
        self.outbound = Outbound(self, WebhookSecrets(MASTER), world.clock, chance=world.random.random)
        self.receivers = {name: Receiver() for name in names}
        self._woken: set[str] = set()
        self._delivering = False

    # -- the way out ---------------------------------------------------------------------------------

    def reaches(self, target: Target) -> bool:
        return True

    def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        """What the receiver at this address says, if anything."""
        name = target.host.partition(".")[0].upper()
        receiver = self.receivers[name]
        kind = self.w.faults.at("endpoint")
        if receiver.down_until is not None and self.w.clock.now() < receiver.down_until:
            return Answer(None, failure=Failure.NOT_CONNECTED)
        if receiver.gone:
            return Answer(410)
        match kind:
            case "refused":
                return Answer(500, b"no")
            case "slow":
                return Answer(None, failure=Failure.TIMED_OUT)
            case "busy":
                return Answer(429, retry_after_s=30)
            case "redirected":
                return Answer(302)
        answer = receiver.take(headers, body)
        return Answer(None, failure=Failure.TIMED_OUT) if kind == "answer_lost" else answer

    # -- deliveries ----------------------------------------------------------------------------------

    def wake(self, name: str) -> None:
        """The sequencer, or a worker that had no time left, tells the queue of deliveries."""
        if name not in self.receivers or name in self._woken:
            return
        kind = self.w.faults.at("delivery.wake")
        if kind == "dropped":
            return
        self._woken.add(name)
        delay_s = WAKE_AFTER_S + (self.w.random.random() * 300 if kind == "delayed" else 0)
        for _ in range(2 if kind == "duplicated" else 1):
            self.w.at(delay_s, partial(self._take, name))

    def _take(self, name: str) -> None:
        self._woken.discard(name)
        self.deliver(name)

    def deliver(self, name: str) -> None:
        """One run of the worker for this city."""
        left = iter(range(SENDINGS_PER_RUN))
        done = deliver(self.w.store, self.w.store, self.outbound, name, lambda: next(left, None) is not None)
        if done.waiting:
            self.wake(name)

    def rival(self, name: str) -> None:
        """A message of the queue was handed out twice: a second worker delivers in the middle of the first."""
        if self._delivering or self.w.faults.at("delivery") != "two_workers":
            return
        self._delivering = True
        try:
            self.w.attempt(partial(self.deliver, name))
        finally:
            self._delivering = False

    def sweep(self) -> None:
        """Each minute: endpoints that are behind and whose time has come."""
        for name in self.receivers:
            endpoint = self.w.store.find(name)
            if endpoint is not None and endpoint.wants(self.w.store.head(name).sequence, self.w.clock.now()):
                self.w.attempt(partial(self.deliver, name))

    # -- what happens in a city ----------------------------------------------------------------------

    def enrol(self, name: str) -> None:
        """Its endpoint has answered its challenge, on a quiet morning; the receiver knows the secret."""
        now = self.w.clock.now()
        url = f"https://{name.lower()}.example/events"
        candidate = Endpoint(name, new_id("we", now), now, OFFICER, candidate_url=url)
        endpoint = MemoryEndpoints.save(self.w.store, None, confirmed(candidate))
        secret = self.outbound.secrets.secret(name, endpoint.endpoint_id, endpoint.generation)
        self.receivers[name].secret = base64.b64decode(secret.removeprefix("whsec_"))

    def maybe_happens(self) -> None:
        """Now and then a city's program is down or says that it is gone, or its officer does something."""
        name = list(self.receivers)[int(self._chance() * len(self.receivers))]
        receiver = self.receivers[name]
        now = self.w.clock.now()
        match self.w.faults.at("city"):
            case "down":
                long = self._chance() < LONG_OUTAGES
                receiver.down_until = now + (LONG_OUTAGE if long else timedelta(seconds=30 + 300 * self._chance()))
            case "gone":
                receiver.gone = True
                self.w.at(60 + 300 * self._chance(), partial(self._returns, name))
            case "stops":
                self._officer(name, stopped)
                self.w.at(60 + 300 * self._chance(), partial(self._returns, name))
            case "replays":
                back = int(REPLAYED_MAX * self._chance())
                first = max(1, self.w.store.head(name).sequence - back)
                self._officer(name, partial(replayed, from_sequence=first))

    def _chance(self) -> float:
        return self.w.random.random()

    def _officer(self, name: str, rule: Callable[[Endpoint], Endpoint]) -> bool:
        """Whether the officer's page said that it is done."""

        def change() -> Endpoint | None:
            before = self.w.store.find(name)
            if before is None:
                return None
            return self.w.store.save(before, rule(settled(before, self.w.clock.now())))

        return isinstance(self.w.attempt(change), Endpoint)

    def _returns(self, name: str) -> None:
        """It is back, and its officer says so until the page answers."""
        self.receivers[name].gone = False
        if not self._officer(name, resumed):
            self.w.at(AGAIN_AFTER_S, partial(self._returns, name))
