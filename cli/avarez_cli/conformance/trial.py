"""One endpoint under trial: what is sent to it, what it says, and what that is held to."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import SplitResult

from avarez.canonical import canonical_bytes
from avarez.clock import to_rfc3339
from avarez.events.chain import Event
from avarez.ids import new_id
from avarez.webhooks import sign
from avarez_cli.conformance.city import MadeUpCity, body_of

TIMEOUT_S: Final = 30.0
"""After which our deliveries take it for no answer."""
ANSWER_BYTES_MAX: Final = 20_000
PIECE_PAUSE_S: Final = 0.5
RETRIABLE: Final = frozenset({409, 425, 429, 503})
"""What an endpoint may say to a message that comes too early: it is sent again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back: a status, or why there was none."""

    status: int = 0
    body: bytes = b""
    failure: str = ""
    elapsed_ms: int = 0

    @property
    def taken(self) -> bool:
        """2xx."""
        return 200 <= self.status <= 299

    def __str__(self) -> str:
        return f"{self.status or self.failure} in {self.elapsed_ms} ms"


class NotChecked(Exception):
    """This run cannot tell; the words say what it would need."""


class Fetched(Protocol):
    """The events by pull, where this run offers them."""

    def show(self, sequence: int) -> int:
        """Events to this place can be fetched from now on; answers how often was asked before."""

    def waits(self, places: range, asked_before: int, within_s: float) -> bool:
        """Whether it asks from one of these places within this time; what it asked before is not counted."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is held to. `must`: without it events are lost, doubled or forged; otherwise it is advice.

    `run` says what was wrong, and nothing where all was right.
    """

    name: str
    must: bool
    title_fa: str
    title_en: str
    run: Callable[[Trial], str]


@dataclass(slots=True)
class Trial:
    """The endpoint, the secrets that it knows, and the city whose events it gets."""

    url: SplitResult
    secrets: Sequence[str]
    city: MadeUpCity
    now: Callable[[], datetime]
    fetched: Fetched | None = None
    fetched_within_s: float = 10.0
    taken_ms: list[int] = field(default_factory=list)

    def message(self, kind: str, data: Mapping[str, Any]) -> bytes:
        """The body of a message that is no event."""
        told = {"municipality": self.city.municipality, "schema": 1, **data}
        return canonical_bytes({"type": kind, "timestamp": to_rfc3339(self.now()), "data": told})

    def headers(
        self, body: bytes, *, message_id: str = "", secrets: Sequence[str] = (), late: timedelta = timedelta(0)
    ) -> dict[str, str]:
        """The headers of a good message; by other secrets or of another time where asked."""
        signed_by = list(secrets or self.secrets[:1])
        signed = sign(message_id or new_id("ms", self.now()), self.now() - late, body, signed_by)
        return {"content-type": "application/json", "user-agent": "Avarez-Conformance/1", **signed}

    def event_headers(self, event: Event, **changes: Any) -> dict[str, str]:
        """The headers of this event's message."""
        return self.headers(body_of(event), message_id=event.event_id, **changes)

    def deliver(self, event: Event) -> Seen:
        """A good message, as our deliveries send it."""
        return self.send(body_of(event), self.event_headers(event))

    def must_take(self, event: Event) -> str:
        """What was wrong with the answer to a good message."""
        return self.taken(self.deliver(event), f"event {event.sequence}")

    def taken(self, seen: Seen, what: str) -> str:
        """What was wrong with an answer that should have been 2xx."""
        if seen.taken:
            self.taken_ms.append(seen.elapsed_ms)
            return ""
        return f"{what}: {seen}, not 2xx"

    def refused(self, seen: Seen, event: Event) -> str:
        """What was wrong with the answer to a message that was no good, though its event is.

        Who took it has the event: the chain goes on behind it, so that one mistake shows in one case.
        """
        if seen.taken:
            self.city.take(event)
        return refused(seen)

    def send(
        self, body: bytes, headers: Mapping[str, str | bytes], *, method: str = "POST", pieces: int = 1
    ) -> Seen:
        """What the endpoint said; redirects are not followed, and an answer has 30 seconds."""
        started = time.monotonic()
        connection = _connection(self.url)
        try:
            connection.putrequest(method, _path(self.url), skip_accept_encoding=True)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            step = -(-len(body) // pieces) or 1
            for begin in range(0, len(body), step):
                if begin:
                    time.sleep(PIECE_PAUSE_S)
                connection.send(body[begin : begin + step])
            return _read(connection, started)
        except (OSError, http.client.HTTPException) as error:
            # Whoever refuses a long body may answer, and close, before it is read.
            if isinstance(error, BrokenPipeError | ConnectionResetError) and connection.sock is not None:
                with suppress(OSError, http.client.HTTPException):
                    return _read(connection, started)
            return Seen(failure=type(error).__name__, elapsed_ms=_since_ms(started))
        finally:
            connection.close()


def refused(seen: Seen) -> str:
    """What was wrong with an answer that should have said 4xx: neither taken, nor a crash, nor the end (410)."""
    return "" if 400 <= seen.status <= 499 and seen.status != 410 else f"{seen}, not 4xx"


def early(seen: Seen) -> str:
    """What was wrong with the answer to a message that came too early: kept, or to be sent again."""
    return "" if seen.taken or seen.status in RETRIABLE else f"{seen}, neither 2xx nor 409, 425, 429, 503"


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    if url.scheme == "https":
        return http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)


def _path(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _read(connection: http.client.HTTPConnection, started: float) -> Seen:
    response = connection.getresponse()
    return Seen(response.status, response.read(ANSWER_BYTES_MAX), "", _since_ms(started))


def _since_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
