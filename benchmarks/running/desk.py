"""A clerk who works through the running local system, with each call's time."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from demo.plates import MUNICIPALITY

TIMEOUT_S = 180.0
ASSESSMENT = "POST /v1/assessments"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class JourneyFailed(RuntimeError):
    """An answer that the journey cannot go on from: no figure is made of it."""


class Desk:
    """One clerk with a connection that stays open; `times_ms` holds what each endpoint took."""

    def __init__(self, origin: str, token: str = "") -> None:
        self._origin = origin
        self._token = token
        self._connections: dict[str, http.client.HTTPConnection] = {}
        self.times_ms: dict[str, list[float]] = defaultdict(list)

    def call(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        name: str = "",
        accepted: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of an answer whose status is accepted; timed under `name` when there is one.

        Raises: JourneyFailed for any other status.
        """
        parts = urlsplit(address if "://" in address else self._origin + address)
        connection = self._connections.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
            self._connections[parts.netloc] = connection
        sent = {"content-type": "application/json", **(headers or {})}
        if self._token and parts.netloc == urlsplit(self._origin).netloc:
            sent["authorization"] = f"Bearer {self._token}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        started = time.perf_counter()
        connection.request(method, target, content, sent)
        response = connection.getresponse()
        answer = response.read()
        if name:
            self.times_ms[name].append((time.perf_counter() - started) * 1000)
        if response.status not in accepted:
            raise JourneyFailed(f"{method} {address}: {response.status} {answer[:300]!r}")
        return {key.lower(): value for key, value in response.getheaders()}, answer

    def journey(self, plate: str) -> str:
        """From the plate to the stored certificate; its id."""
        call = self.call
        call("GET", f"/v1/vehicles/{plate}", name="GET /v1/vehicles/{plate}")
        asked = {"municipality": MUNICIPALITY, "plate": plate}
        quote = json.loads(call("POST", "/v1/assessments", asked, name=ASSESSMENT, accepted=(201,))[1])
        payment = json.loads(
            call(
                "POST",
                "/v1/payments",
                {"assessment_id": quote["assessment_id"], "channel": "gateway"},
                name="POST /v1/payments",
                accepted=(201,),
                headers={"idempotency-key": uuid.uuid4().hex},
            )[1]
        )
        pressed, _ = call("POST", payment["redirect_url"], b"result=paid", accepted=(303,), headers=FORM)
        call("GET", pressed["location"], name="GET /v1/callbacks/{gateway}", accepted=(200, 303))
        path = f"/v1/payments/{payment['payment_id']}"
        certificate_id = self._settled(path)
        self._stored(f"/v1/certificates/{certificate_id}/pdf?redirect=false")
        return certificate_id

    def _settled(self, path: str) -> str:
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            state = json.loads(self.call("GET", path, name="GET /v1/payments/{id}")[1])
            if state["status"] == "settled":
                return str(state["certificate_id"])
            time.sleep(0.02)
        raise JourneyFailed(f"{path} was not settled in time")

    def _stored(self, path: str) -> None:
        """Returns when the certificate is in store; an answer that it is not yet (after 8 s) is asked again."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            name = "GET /v1/certificates/{id}/pdf (waits for it)"
            if b'"url"' in self.call("GET", path, name=name, accepted=(200, 409))[1]:
                return
        raise JourneyFailed(f"{path} was not in store in time")

    def look(self, certificate_id: str, quote_path: str, payment_path: str) -> None:
        """What is read around a journey, by its clerk and by everybody."""
        call = self.call
        call("GET", quote_path, name="GET /v1/assessments/{id}")
        call("GET", f"{payment_path}/events", name="GET /v1/payments/{id}/events")
        record = json.loads(call("GET", f"/v1/certificates/{certificate_id}", name="GET /v1/certificates/{id}")[1])
        address = call("GET", f"/v1/certificates/{certificate_id}/pdf", name="GET /v1/certificates/{id}/pdf",
                       accepted=(302,))[0]["location"]  # fmt: skip
        pdf = call("GET", address)[1]
        call("GET", f"/v1/verify/{certificate_id}", name="GET /v1/verify/{id}")
        call("POST", "/v1/verify", {"payload": record["link"]}, name="POST /v1/verify (payload)")
        call("POST", "/v1/verify", pdf, name="POST /v1/verify (PDF)", headers={"content-type": "application/pdf"})
        call("GET", "/.well-known/jwks.json", name="GET /.well-known/jwks.json")
        call("GET", "/v1/municipalities", name="GET /v1/municipalities")
        call("GET", "/healthz", name="GET /healthz")
