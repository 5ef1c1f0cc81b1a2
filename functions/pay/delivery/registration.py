"""The use cases of a city's officer: register an endpoint, prove it, rotate its secret, bring it back, try it.

A URL counts once it has answered a signed challenge by repeating it, as JSON `{"challenge": …}`. Until then the
one before it goes on, and what happens waits in the log.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, replace
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.errors import TransactionRefused, WebhookNotFound, WebhookUrlRefused
from avarez.ids import new_id
from functions.pay.delivery.endpoint import Endpoint, State, confirmed, replayed, resumed, rotated
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


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases work with."""

    store: EndpointStore
    outbound: Outbound

    def find(self, municipality: str) -> Endpoint:
        """The city's endpoint.

        Raises:
            WebhookNotFound: it has none.
        """
        endpoint = self.store.find(municipality)
        if endpoint is None:
            raise WebhookNotFound()
        return endpoint

    def register(self, municipality: str, url: str, by: str) -> Registered:
        """Keeps the URL as the candidate and sends it the challenge.

        Raises:
            WebhookUrlRefused: the URL, or an address of its name, is none that we call; nothing is kept.
            TransactionRefused: somebody registered at the same moment.
        """
        target = read_target(url, loopback_allowed=self.outbound.loopback_allowed)
        if not self.outbound.sender.reaches(target):
            raise WebhookUrlRefused(
                f"The name {target.host} has no public address now, or one that we do not call.",
                f"نام {target.host} اکنون نشانی عمومی ندارد یا یکی از نشانی‌هایش مجاز نیست.",
            )
        before = self.store.find(municipality)
        now = self.outbound.clock.now()
        endpoint = before or Endpoint(municipality, new_id("we", now), now, by)
        saved = self.store.save(before, replace(endpoint, candidate_url=target.url))
        told = self._challenge(saved)
        secret = "" if before else self._secret(saved)
        return replace(told, secret=secret)

    def challenge(self, municipality: str) -> Registered:
        """Sends the challenge again, to the candidate if there is one, else to the endpoint as it is."""
        return self._challenge(self.find(municipality))

    def rotate(self, municipality: str) -> tuple[Endpoint, str]:
        """The endpoint with a new secret, and the secret; the one before signs as well for a day."""
        before = self.find(municipality)
        saved = self.store.save(before, rotated(before, self.outbound.clock.now()))
        return saved, self._secret(saved)

    def resume(self, municipality: str) -> Endpoint:
        """Tried again at once. An endpoint that has passed no challenge yet stays what it is."""
        before = self.find(municipality)
        if before.state is State.AWAITING_CHALLENGE:
            return before
        return self.store.save(before, resumed(before))

    def replay(self, municipality: str, from_sequence: int) -> Endpoint:
        """Everything from this event on is sent again."""
        before = self.find(municipality)
        return self.store.save(before, replayed(before, from_sequence))

    def test(self, municipality: str) -> Attempt:
        """A message that is signed as every other one and says that it is a demonstration."""
        endpoint = self.find(municipality)
        data = {"municipality": municipality, "demo": True, "schema": 1}
        _, attempt = self._send(endpoint, endpoint.url or endpoint.candidate_url, TEST, data)
        return attempt

    def _challenge(self, endpoint: Endpoint) -> Registered:
        url = endpoint.candidate_url or endpoint.url
        challenge = new_id("ch", self.outbound.clock.now())
        data = {"municipality": endpoint.municipality, "challenge": challenge, "schema": 1}
        answer, attempt = self._send(endpoint, url, CHALLENGE, data)
        passed = answer.taken and hmac.compare_digest(_echo(answer.body), challenge)
        after = confirmed(endpoint) if passed else endpoint
        try:
            saved = self.store.save(endpoint, after, [attempt])
        except TransactionRefused:
            # A delivery moved the cursor meanwhile; what was proved is true of what stands there as well.
            latest = self.find(endpoint.municipality)
            if latest.candidate_url != endpoint.candidate_url:
                raise
            saved = self.store.save(latest, confirmed(latest) if passed else latest, [attempt])
        return Registered(saved, passed, attempt)

    def _send(self, endpoint: Endpoint, url: str, kind: str, data: dict[str, Any]) -> tuple[Answer, Attempt]:
        now = self.outbound.clock.now()
        message_id = new_id("ms", now)
        answer = post(endpoint, url, message_id, message_body(kind, to_rfc3339(now), data), self.outbound)
        return answer, attempt_of(message_id, 0, answer, now)

    def _secret(self, endpoint: Endpoint) -> str:
        return self.outbound.secrets.secret(endpoint.municipality, endpoint.endpoint_id, endpoint.generation)


def _echo(body: bytes) -> str:
    """The challenge that an answer repeats; nothing where it is no such answer."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    echo = told.get("challenge") if isinstance(told, dict) else None
    return echo if isinstance(echo, str) and echo.isascii() else ""
