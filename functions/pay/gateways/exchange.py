"""One HTTP exchange with a gateway, bounded in time and size as a whole.

A timeout of a socket bounds one read, not an exchange: a gateway that sends a byte every few seconds would hold a
payer's browser for ever. Here every read gets what is left of one deadline, and headers count as well as the body.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Collection, Mapping
from urllib.parse import SplitResult

from avarez.errors import OutcomeUnknown
from avarez.timed_socket import TimedSocket, left_s

ANSWER_BYTES_MAX = 64 * 1024
"""Headers and body of a genuine answer have a few hundred bytes; anything longer is no answer."""
REPORT_BYTES_MAX = 32 * 1024 * 1024
"""A report of a day with two hundred thousand payments."""


def post(
    address: SplitResult,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_ms: int,
    statuses: Collection[int] = (200,),
) -> bytes:
    """The body of an answer with one of `statuses`; redirects are not followed.

    Raises:
        OutcomeUnknown: nothing whole came in time. The gateway may have acted all the same.
    """
    target = address.path.rstrip("/") + path
    return _exchange(address, "POST", target, body, headers, timeout_ms, ANSWER_BYTES_MAX, statuses)


def get(address: SplitResult, query: str, headers: Mapping[str, str], *, timeout_ms: int) -> bytes:
    """The body that this address answers to a GET with `query`; for reports, which may be long.

    Raises:
        OutcomeUnknown: nothing whole came in time.
    """
    target = f"{address.path or '/'}?{query}"
    return _exchange(address, "GET", target, None, headers, timeout_ms, REPORT_BYTES_MAX, (200,))


def _exchange(
    address: SplitResult,
    method: str,
    target: str,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout_ms: int,
    bytes_max: int,
    statuses: Collection[int],
) -> bytes:
    deadline = time.monotonic() + timeout_ms / 1000
    connection = http.client.HTTPConnection(address.hostname or "")
    try:
        with _connect(address, deadline) as connected:
            connection.sock = TimedSocket(connected, deadline, bytes_max)
            connection.request(method, target, body, {**headers, "host": address.netloc})
            response = connection.getresponse()
            answer = response.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OutcomeUnknown() from error
    finally:
        connection.close()
    if response.status not in statuses:
        raise OutcomeUnknown()
    return answer


def post_json(
    address: SplitResult,
    path: str,
    members: Mapping[str, object],
    *,
    timeout_ms: int,
    headers: Mapping[str, str] | None = None,
    statuses: Collection[int] = (200,),
) -> dict[str, object]:
    """The JSON object that answers this one.

    Raises:
        OutcomeUnknown: no JSON object came in time.
    """
    answer = post(
        address,
        path,
        json.dumps(members).encode(),
        {"content-type": "application/json", "accept": "application/json", **(headers or {})},
        timeout_ms=timeout_ms,
        statuses=statuses,
    )
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise OutcomeUnknown() from error
    if not isinstance(read, dict):
        raise OutcomeUnknown()
    return read


class Patience:
    """The time that one call of an adapter may take, over all its exchanges together."""

    def __init__(self, timeout_ms: int) -> None:
        self._deadline = time.monotonic() + timeout_ms / 1000

    def left_ms(self) -> int:
        """What is left of it.

        Raises:
            OutcomeUnknown: nothing is.
        """
        left_ms = int((self._deadline - time.monotonic()) * 1000)
        if left_ms <= 0:
            raise OutcomeUnknown()
        return left_ms


def _connect(address: SplitResult, deadline: float) -> socket.socket:
    """A connection to the first address that answers; all attempts share the deadline."""
    host, secure = address.hostname or "", address.scheme == "https"
    found = socket.getaddrinfo(host, address.port or (443 if secure else 80), type=socket.SOCK_STREAM)
    failure: OSError = OSError("the gateway's name has no address")
    for family, kind, protocol, _, place in found:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(left_s(deadline))
            connected.connect(place)
            if secure:
                connected.settimeout(left_s(deadline))
                return ssl.create_default_context().wrap_socket(connected, server_hostname=host)
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure
