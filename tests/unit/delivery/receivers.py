"""Cities, their chains and their endpoints in memory, in virtual time; the receivers check as a city should."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from avarez.changes.change import Change, event_of
from avarez.clock import FixedClock
from avarez.errors import SignatureRefused, TransactionRefused
from avarez.events.chain import GENESIS, Event, EventType, Waiting, chained
from avarez.webhooks import check
from functions.pay.accounts.deciding import Desk as ChangesDesk
from functions.pay.delivery.endpoints.changing import effects_on
from functions.pay.delivery.endpoints.endpoint import Endpoint
from functions.pay.delivery.endpoints.registration import Desk, Registered
from functions.pay.delivery.service import Attempt, Delivered, Outbound, deliver
from functions.pay.delivery.wire.secrets import WebhookSecrets
from functions.pay.delivery.wire.sending import Answer, Failure
from functions.pay.delivery.wire.target import Target
from tests.unit.accounts.changes_fake import Changes

START = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
MASTER = "m" * 64
URL = "https://{city}.example.ir/hook"


class Chains:
    """Every city's chain; `grow` adds events to one."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self.events: dict[str, list[Event]] = {}

    def grow(self, city: str, count: int) -> None:
        for _ in range(count):
            number = len(self.events.get(city, [])) + 1
            waiting = Waiting(
                event_id=f"ev_{city}_{number}",
                type=EventType.PAYMENT_SETTLED,
                municipality=city,
                about=f"py_{number}",
                occurred_at=self._clock.now(),
                content={"payment": {"amount_rial": str(number * 1_000)}},
            )
            self.place(waiting)

    def place(self, waiting: Waiting) -> None:
        chain = self.events.setdefault(waiting.municipality, [])
        previous_hash = chain[-1].hash if chain else GENESIS
        chain.append(chained(waiting, sequence=len(chain) + 1, previous_hash=previous_hash))

    def read(self, municipality: str, *, after: int, limit: int = 100) -> Sequence[Event]:
        return self.events.get(municipality, [])[after : after + limit]


class Endpoints:
    """Endpoints under the condition that the table has: whoever writes knew the version before."""

    def __init__(self) -> None:
        self.rows: dict[str, Endpoint] = {}
        self.attempts: dict[str, list[Attempt]] = {}
        self.before_save: Callable[[], None] = lambda: None

    def find(self, municipality: str) -> Endpoint | None:
        return self.rows.get(municipality)

    def save(self, before: Endpoint | None, after: Endpoint, attempts: Sequence[Attempt] = ()) -> Endpoint:
        hook, self.before_save = self.before_save, lambda: None
        hook()
        stands = self.rows.get(after.municipality)
        if (stands.version if stands else 0) != (before.version if before else 0):
            raise TransactionRefused(["ConditionalCheckFailed"])
        self.rows[after.municipality] = saved = replace(after, version=after.version + 1)
        self.attempts.setdefault(after.municipality, []).extend(attempts)
        return saved


@dataclass
class Receiver:
    """A city's own program. `behave` answers before the message is taken; None takes it."""

    clock: FixedClock
    secrets: list[str] = field(default_factory=list)
    behave: Callable[[int], Answer | None] = lambda count: None
    keeps_behaviour_from_challenges: bool = True
    calls: int = 0
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    refused: int = 0
    signatures: list[int] = field(default_factory=list)

    def post(self, headers: dict[str, str], body: bytes) -> Answer:
        message = json.loads(body)
        if message["type"] == "endpoint.challenge":
            return Answer(200, json.dumps({"challenge": message["data"]["challenge"]}).encode(), address="1.1.1.1")
        self.calls += 1
        told = self.behave(self.calls)
        if told is not None:
            return told
        try:
            known = check(headers, body, self.secrets, self.clock.now())
        except SignatureRefused:
            self.refused += 1
            return Answer(401, b'{"code":"signature_refused"}')
        self.signatures.append(len(headers["webhook-signature"].split(" ")))
        if known.message_id not in self.taken:
            self.taken[known.message_id] = message["data"]
            self.order.append(message["data"].get("sequence", 0))
        return Answer(204)


class Town:
    """The whole: cities by name, each with a receiver at its own address."""

    def __init__(self, *cities: str) -> None:
        self.clock = FixedClock(START)
        self.chains = Chains(self.clock)
        self.store = Endpoints()
        self.receivers = {city: Receiver(self.clock) for city in cities}
        self.outbound = Outbound(self, WebhookSecrets(MASTER), self.clock, chance=lambda: 0.5)
        self.changes = Changes(apply=self._apply, tell=self._tell)
        effects = effects_on(self.store.find, lambda before, after: {"before": before, "after": after})
        self.officers = ChangesDesk(self.changes, lambda _: {}, self.clock, lambda _: None, effects)
        self.desk = Desk(self.store, self.outbound, self.officers)
        self.alerts: dict[str, list[str]] = {city: [] for city in cities}

    def _apply(self, part: dict[str, Any]) -> None:
        self.store.save(part["before"], part["after"])

    def _tell(self, change: Change) -> None:
        self.chains.place(event_of(change, f"ev_{change.change_id}_{len(change.steps)}"))

    def reaches(self, target: Target) -> bool:
        return target.host.split(".")[0].upper() in self.receivers

    def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        return self.receivers[target.host.split(".")[0].upper()].post(headers, body)

    def register(self, city: str) -> Registered:
        told = self.desk.register(city, URL.format(city=city.lower()), "officer")
        self.receivers[city].secrets = [told.secret]
        return told

    def run(self, city: str) -> Delivered:
        done = deliver(self.store, self.chains, self.outbound, city, lambda: True)
        if done.alert:
            self.alerts[city].append(done.alert)
        return done

    def pass_time(self, span: timedelta) -> None:
        """Everything that falls due within the span is done at its time."""
        end = self.clock.now() + span
        while True:
            for city in self.receivers:
                endpoint = self.store.find(city)
                if endpoint and endpoint.wants(len(self.chains.events.get(city, [])), self.clock.now()):
                    self.run(city)
            dues = [row.due_at for row in self.store.rows.values() if row.due_at is not None]
            following = min((due for due in dues if due > self.clock.now()), default=end)
            if following >= end:
                self.clock.instant = end
                return
            self.clock.instant = following

    def endpoint(self, city: str) -> Endpoint:
        found = self.store.find(city)
        assert found is not None
        return found


def refused_connection(count: int) -> Answer:
    return Answer(None, failure=Failure.NOT_CONNECTED, address="1.1.1.1")
