"""Signed messages between this system and others, by Standard Webhooks 1.0.0, read strictly.

Source: Standard Webhooks 1.0.0, "Signature scheme" (symmetric, `v1`): HMAC-SHA256 over `{id}.{timestamp}.{body}`.
Everything that cannot be checked is refused alike: who forges learns nothing from how.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from avarez.errors import SignatureRefused

TOLERANCE: Final = timedelta(minutes=5)
"""How far a message's time may be from ours, in either direction. Source: Standard Webhooks, "Verifying"."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins, not one
SECRET_BYTES: Final = range(24, 65)
"""Source: Standard Webhooks, "Signature scheme": 192 to 512 bits."""
SIGNATURES_MAX: Final = 10
"""During a rotation there are two."""
BODY_BYTES_MAX: Final = 256 * 1024
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SECONDS = re.compile(r"[0-9]{10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose signature is good: its id, which is the same whenever it is sent again, and its time."""

    message_id: str
    sent_at: datetime


def sign(message_id: str, sent_at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of this message, with one signature of each secret.

    Raises:
        ValueError: a naive time, an id with other characters, a secret that is none.
    """
    if sent_at.tzinfo is None or _ID.fullmatch(message_id) is None or not secrets:
        raise ValueError("a message needs an aware time, a plain id and a secret")
    seconds = str(int(sent_at.astimezone(UTC).timestamp()))
    keys = [_key(secret) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(key, message_id, seconds, body)}" for key in keys),
    }


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> Message:
    """The message, when one of the secrets signed it within `TOLERANCE` of now.

    Every secret is tried against every signature, in a time that does not tell which were wrong.

    Raises:
        SignatureRefused: anything else, whatever it is.
    """
    given = {str(name).lower(): value for name, value in headers.items()}
    message_id, seconds = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if _ID.fullmatch(message_id) is None or _SECONDS.fullmatch(seconds) is None or len(body) > BODY_BYTES_MAX:
        raise SignatureRefused()
    told = [_v1(entry) for entry in given.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]]
    good = False
    for secret in secrets:
        expected = base64.b64decode(_signature(_key(secret), message_id, seconds, body))
        for signature in told:
            good |= hmac.compare_digest(signature, expected)
    sent_at = datetime.fromtimestamp(int(seconds), UTC)
    if not good or abs(now - sent_at) > TOLERANCE:
        raise SignatureRefused()
    return Message(message_id, sent_at)


def _signature(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


def _v1(entry: str) -> bytes:
    """The bytes of one `v1` signature; nothing where it is of another version, or no strict base64."""
    version, _, text = entry.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _key(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: it is no secret of this standard. The message does not show it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if len(key) not in SECRET_BYTES:
        raise ValueError("a webhook secret is base64 of 24 to 64 bytes")
    return key
