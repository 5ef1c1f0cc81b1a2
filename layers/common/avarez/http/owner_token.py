"""The token of an owner who showed plate and national id: one vehicle, for a short time, and nothing to look up.

It is opaque to whoever holds it: what it allows stands in it under a keyed hash, so that each function checks it
by itself. Neither the national id nor its hash stands in it.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from avarez.clock import SystemClock
from avarez.dynamo import client, translated
from avarez.errors import Unauthorized
from avarez.http.principal import OwnerReach, Principal, owner_principal
from avarez.settings import setting

LIFETIME: Final = timedelta(minutes=30)
"""The time on a gateway's page, and as much again to read before it and to print after it."""
PREFIX: Final = "ow1."
TOKEN_CHARACTERS_MAX: Final = 4_096
PLACES_MAX: Final = 20
"""Cities and plates of one owner with one car; more would be an error in the rolls."""

clock = SystemClock()


@functools.cache
def secret() -> bytes:
    """The key of the tokens, read once in a process; a new one ends every token."""
    with translated():
        answer = client("secretsmanager").get_secret_value(SecretId=setting("SESSION_SECRET_ARN"))
    return str(answer["SecretString"]).encode()


def sign(reach: OwnerReach, *, key: bytes, expires_at: datetime) -> str:
    """The token that allows `reach` until `expires_at`."""
    content = {
        "s": reach.subject,
        "v": reach.vehicle_id,
        "p": [list(place) for place in reach.places[:PLACES_MAX]],
        "e": int(expires_at.timestamp()),
    }
    body = _text(json.dumps(content, separators=(",", ":"), sort_keys=True).encode())
    return f"{PREFIX}{body}.{_text(_mac(key, body))}"


def read(token: str, *, key: bytes, now: datetime) -> OwnerReach:
    """What the token allows.

    Raises:
        Unauthorized: not signed by `key`, ended, or no token of an owner.
    """
    body, _, mac = token.removeprefix(PREFIX).partition(".")
    if not token.startswith(PREFIX) or len(token) > TOKEN_CHARACTERS_MAX:
        raise Unauthorized()
    if not hmac.compare_digest(_bytes(mac), _mac(key, body)):
        raise Unauthorized()
    content = json.loads(_bytes(body))
    if now.timestamp() >= content["e"]:
        raise Unauthorized()
    return OwnerReach(content["s"], content["v"], tuple((city, plate) for city, plate in content["p"]))


def admitted(headers: Mapping[str, Any]) -> Principal:
    """The owner whose token the request carries.

    Raises:
        Unauthorized: no token, or none in force.
    """
    given = next((str(value) for name, value in headers.items() if str(name).lower() == "authorization"), "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized()
    return owner_principal(read(token.strip(), key=secret(), now=clock.now()))


def _mac(key: bytes, body: str) -> bytes:
    return hmac.new(key, f"{PREFIX}{body}".encode(), hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Unauthorized() from None
