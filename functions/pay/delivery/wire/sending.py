"""One message to one endpoint: resolved once, checked, sent to that very address, bounded in time and size.

Whoever owns a name may answer it with any address at any time. So the name is resolved once for each sending,
every address that it has is checked, and the connection is made to the first of them; the certificate is checked
against the name. A redirect is an answer like any other that is not 2xx.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from avarez.timed_socket import TimedSocket, left_s
from functions.pay.delivery.wire.addresses import is_callable, is_loopback
from functions.pay.delivery.wire.target import Target

TIMEOUT_S: Final = 30.0
"""Of a whole exchange. Source: Standard Webhooks 1.0.0, "Delivery": 15 to 30 seconds."""
ANSWER_BYTES_MAX: Final = 20_000
"""What is read of an answer's body; the rest is cut."""
HEADER_BYTES_MAX: Final = 64 * 1024
RETRY_AFTER_DIGITS_MAX: Final = 6

Resolve = Callable[[str, int], Sequence[str]]


class Failure(StrEnum):
    """Why an exchange came to no answer."""

    NAME_UNKNOWN = "name_unknown"
    ADDRESS_REFUSED = "address_refused"
    NOT_CONNECTED = "not_connected"
    CERTIFICATE_REFUSED = "certificate_refused"
    TIMED_OUT = "timed_out"
    ANSWER_UNREADABLE = "answer_unreadable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a sending: a status, or a failure; `address` is what was called, if anything was."""

    status: int | None
    body: bytes = b""
    failure: Failure | None = None
    address: str = ""
    retry_after_s: int | None = None
    elapsed_ms: int = 0

    @property
    def taken(self) -> bool:
        """Whether the endpoint has the message. Source: Standard Webhooks, "Delivery": 2xx and nothing else."""
        return self.status is not None and 200 <= self.status <= 299


def resolve(host: str, port: int) -> list[str]:
    """Every address of the name, in the resolver's order.

    Raises:
        OSError: it has none, or the resolver does not answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


@cache
def trusted() -> ssl.SSLContext:
    """The public authorities, TLS 1.2 and later, made on first use."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Sender:
    """Sends messages. A test gives its own resolver and authorities; nothing else goes round the checks."""

    def __init__(
        self,
        *,
        loopback_allowed: bool = False,
        resolver: Resolve = resolve,
        context: Callable[[], ssl.SSLContext] = trusted,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._loopback_allowed = loopback_allowed
        self._resolver = resolver
        self._context = context
        self._timeout_s = timeout_s

    def address_of(self, target: Target) -> str | Failure:
        """The address that would be called now; a failure where one of the name's addresses may not be."""
        try:
            found = list(dict.fromkeys(self._resolver(target.host, target.port)))
        except (OSError, UnicodeError):
            return Failure.NAME_UNKNOWN
        if not found:
            return Failure.NAME_UNKNOWN
        allowed = is_callable if target.secure else is_loopback
        if not target.secure and not self._loopback_allowed:
            return Failure.ADDRESS_REFUSED
        return found[0] if all(allowed(address) for address in found) else Failure.ADDRESS_REFUSED

    def reaches(self, target: Target) -> bool:
        """Whether there is an address now that may be called."""
        return not isinstance(self.address_of(target), Failure)

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the endpoint said to this message. Never raises: every way to fail is an answer."""
        started = time.monotonic()
        address = self.address_of(target)
        if isinstance(address, Failure):
            return Answer(None, failure=address, elapsed_ms=_since_ms(started))
        deadline = started + self._timeout_s
        connection = http.client.HTTPConnection(target.host)
        failure: Failure | None = None
        try:
            with self._connect(target, address, deadline) as connected:
                connection.sock = TimedSocket(connected, deadline, HEADER_BYTES_MAX + ANSWER_BYTES_MAX)
                connection.request("POST", target.path, body, {**headers, "host": target.authority})
                response = connection.getresponse()
                answer = response.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            failure = Failure.TIMED_OUT
        except ssl.SSLError:
            failure = Failure.CERTIFICATE_REFUSED
        except OSError:
            failure = Failure.NOT_CONNECTED
        except (http.client.HTTPException, ValueError):
            failure = Failure.ANSWER_UNREADABLE
        finally:
            connection.close()
        if failure is not None:
            return Answer(None, failure=failure, address=address, elapsed_ms=_since_ms(started))
        wait_s = _retry_after_s(response.headers.get("retry-after", ""))
        return Answer(response.status, answer, None, address, wait_s, _since_ms(started))

    def _connect(self, target: Target, address: str, deadline: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with ExitStack() as undo:
            connected = socket.socket(family, socket.SOCK_STREAM)
            undo.callback(connected.close)
            connected.settimeout(left_s(deadline))
            connected.connect((address, target.port))
            if target.secure:
                connected.settimeout(left_s(deadline))
                connected = self._context().wrap_socket(connected, server_hostname=target.host)
            undo.pop_all()
            return connected


def _retry_after_s(text: str) -> int | None:
    """The seconds that an endpoint asks for; a date, or what is no number, is as good as nothing."""
    plain = text.strip()
    fits = plain.isascii() and plain.isdigit() and len(plain) <= RETRY_AFTER_DIGITS_MAX
    return int(plain) if fits else None


def _since_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
