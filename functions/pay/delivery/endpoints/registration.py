"""The use cases of a city's officer: register an endpoint, prove it, rotate its secret, bring it back, try it.

A URL counts once it has answered a signed challenge by repeating it, as JSON `{"challenge": …}`. A first one is
the endpoint from then on; another one, and another secret, are guarded changes (`avarez.changes.change`): a second
person and a cooling-off period, in which everything goes on as before.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from avarez.changes.change import Change, Subject
from avarez.clock import to_rfc3339
from avarez.errors import TransactionRefused, WebhookNotFound, WebhookUrlRefused
from avarez.ids import new_id
from functions.pay.delivery.endpoints.changing import GENERATION, URL
from functions.pay.delivery.endpoints.endpoint import (
    Endpoint,
    State,
    confirmed,
    replayed,
    resumed,
    rotated,
    settled,
    stopped,
)
from functions.pay.delivery.service import (
    Attempt,
    EndpointStore,
    Outbound,
    attempt_of,
    message_body,
    post,
)
from functions.pay.delivery.wire.sending import Answer
from functions.pay.delivery.wire.target import read_target

CHALLENGE: Final = "endpoint.challenge"
TEST: Final = "endpoint.test"


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint as it stands after a challenge. `secret` is given once, to whoever registered it."""

    endpoint: Endpoint
    passed: bool
    attempt: Attempt
    secret: str = ""
    change: Change | None = None


class Proposes(Protocol):
    """The changes of cities, as far as an endpoint needs them."""

    def propose(
        self, municipality: str, subject: Subject, value: Mapping[str, str], *, by: str, reason: str, initial: bool
    ) -> Change:
        """A change that waits for its second person, with what it takes effect on.

        Raises:
            ChangeOpen: another one of the subject is open.
        """


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases work with."""

    store: EndpointStore
    outbound: Outbound
    changes: Proposes

    def find(self, municipality: str) -> Endpoint:
        """The city's endpoint.

        Raises:
            WebhookNotFound: it has none.
        """
        endpoint = self.store.find(municipality)
        if endpoint is None:
            raise WebhookNotFound()
        return endpoint

    def register(self, municipality: str, url: str, by: str, reason: str = "") -> Registered:
        """Keeps the URL as the candidate and sends it the challenge; where another is in force, as a change.

        Raises:
            WebhookUrlRefused: the URL, or an address of its name, is none that we call; nothing is kept.
            TransactionRefused: somebody registered at the same moment.
            ChangeOpen: a change of the address is open.
        """
        target = read_target(url, loopback_allowed=self.outbound.loopback_allowed)
        if not self.outbound.sender.reaches(target):
            raise WebhookUrlRefused(
                f"The name {target.host} has no public address now, or one that we do not call.",
                f"نام {target.host} اکنون نشانی عمومی ندارد یا یکی از نشانی‌هایش مجاز نیست.",
            )
        before = self.store.find(municipality)
        now = self.outbound.clock.now()
        stands = None if before is None else settled(before, now)
        if stands is not None and stands.url == target.url:
            return self._challenge(stands, target.url)
        if stands is not None and stands.url:
            value = {URL: target.url}
            change = self.changes.propose(
                municipality, Subject.WEBHOOK_URL, value, by=by, reason=reason, initial=False
            )
            return replace(self.challenge(municipality), change=change)
        endpoint = stands or Endpoint(municipality, new_id("we", now), now, by)
        saved = self.store.save(before, replace(endpoint, candidate_url=target.url))
        told = self._challenge(saved, target.url)
        secret = "" if before else self._secret(saved, saved.generation)
        return replace(told, secret=secret)

    def challenge(self, municipality: str) -> Registered:
        """Sends the challenge again, to the candidate if there is one, else to the endpoint as it is."""
        endpoint = self._settled(municipality)
        return self._challenge(endpoint, endpoint.candidate_url or endpoint.url)

    def rotate(self, municipality: str, by: str, reason: str = "") -> tuple[Endpoint, str, Change | None]:
        """The endpoint, a new secret that signs beside the one in force from now on, and the change that ends it.

        Raises:
            WebhookNotFound.
            ChangeOpen: a secret was handed out whose change is open.
        """
        before = self._settled(municipality)
        if not before.url:
            saved = self.store.save(before, rotated(before))
            return saved, self._secret(saved, saved.generation), None
        generation = before.handed_out + 1
        change = self.changes.propose(
            municipality,
            Subject.WEBHOOK_SECRET,
            {GENERATION: str(generation)},
            by=by,
            reason=reason,
            initial=False,
        )
        return self.find(municipality), self._secret(before, generation), change

    def stop(self, municipality: str) -> Endpoint:
        """Nothing is sent any more until it is resumed or another address is in force; everything is kept."""
        before = self._settled(municipality)
        if before.state is State.AWAITING_CHALLENGE:
            return before
        return self.store.save(before, stopped(before))

    def resume(self, municipality: str) -> Endpoint:
        """Tried again at once. An endpoint that has passed no challenge yet stays what it is."""
        before = self._settled(municipality)
        if before.state is State.AWAITING_CHALLENGE:
            return before
        return self.store.save(before, resumed(before))

    def replay(self, municipality: str, from_sequence: int) -> Endpoint:
        """Everything from this event on is sent again."""
        before = self._settled(municipality)
        return self.store.save(before, replayed(before, from_sequence))

    def test(self, municipality: str) -> Attempt:
        """A message that is signed as every other one and says that it is a demonstration."""
        endpoint = self._settled(municipality)
        data = {"municipality": municipality, "demo": True, "schema": 1}
        _, attempt = self._send(endpoint, endpoint.url or endpoint.candidate_url, TEST, data)
        return attempt

    def _settled(self, municipality: str) -> Endpoint:
        """The endpoint with whatever has come into force, under the version of the stored one."""
        return settled(self.find(municipality), self.outbound.clock.now())

    def _challenge(self, endpoint: Endpoint, url: str) -> Registered:
        challenge = new_id("ch", self.outbound.clock.now())
        data = {"municipality": endpoint.municipality, "challenge": challenge, "schema": 1}
        answer, attempt = self._send(endpoint, url, CHALLENGE, data)
        passed = answer.taken and hmac.compare_digest(_echo(answer.body), challenge)
        proves = passed and (url == endpoint.candidate_url or not endpoint.candidate_url)
        after = confirmed(endpoint) if proves else endpoint
        try:
            saved = self.store.save(endpoint, after, [attempt])
        except TransactionRefused:
            # A delivery moved the cursor meanwhile; what was proved is true of what stands there as well.
            latest = self.find(endpoint.municipality)
            if latest.candidate_url != endpoint.candidate_url:
                raise
            saved = self.store.save(latest, confirmed(latest) if proves else latest, [attempt])
        return Registered(saved, passed, attempt)

    def _send(self, endpoint: Endpoint, url: str, kind: str, data: dict[str, Any]) -> tuple[Answer, Attempt]:
        now = self.outbound.clock.now()
        message_id = new_id("ms", now)
        answer = post(endpoint, url, message_id, message_body(kind, to_rfc3339(now), data), self.outbound)
        return answer, attempt_of(message_id, 0, answer, now)

    def _secret(self, endpoint: Endpoint, generation: int) -> str:
        return self.outbound.secrets.secret(endpoint.municipality, endpoint.endpoint_id, generation)


def _echo(body: bytes) -> str:
    """The challenge that an answer repeats; nothing where it is no such answer."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    echo = told.get("challenge") if isinstance(told, dict) else None
    return echo if isinstance(echo, str) and echo.isascii() else ""
