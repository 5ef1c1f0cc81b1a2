"""Public signing keys as JSON Web Keys, named by the first 8 bytes of their thumbprint.

Keys are never fetched from where a certificate says; a verifier brings its own set, and old keys stay in it for
ever, so that old certificates keep verifying after a rotation.
Source: RFC 7517 (JWK), RFC 7518 section 6.2 (EC members), RFC 7638 (thumbprint).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from avarez.certificates.cose import KEY_ID_BYTES
from avarez.certificates.weak_keys import is_weak_p256
from avarez.clock import from_rfc3339, to_rfc3339

COORDINATE_BYTES: Final = 32
#: A year has few rotations; a set of more keys than this is no set of ours.
KEYS_MAX: Final = 256


class KeysError(ValueError):
    """The text is no set of P-256 public keys."""


class KeyStatus(StrEnum):
    """`next` is published and does not sign yet; `active` signs; `retired` signed once and verifies for ever;
    `compromised` proves nothing by itself."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key with its state; `kid` is the name that messages carry.

    It signed from `not_before` to `not_after`; None where that is not known or not yet. From `compromised_at` on
    somebody else may have signed with it as well.
    """

    kid: bytes
    public_key: ec.EllipticCurvePublicKey
    status: KeyStatus
    not_before: datetime | None = None
    not_after: datetime | None = None
    compromised_at: datetime | None = None


KeySet = Mapping[bytes, SigningKey]


def key_from_der(der: bytes) -> dict[str, str]:
    """The JWK members kty, crv, x, y of a DER SubjectPublicKeyInfo, as KMS answers it.

    Raises: KeysError for anything but a P-256 key, and for a weak one.
    """
    try:
        key = load_der_public_key(der)
    except (ValueError, TypeError) as error:
        raise KeysError("not a public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise KeysError("not a P-256 key")
    numbers = key.public_numbers()
    if is_weak_p256(numbers.x, numbers.y):
        raise KeysError("the key is weak")
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64url(numbers.x.to_bytes(COORDINATE_BYTES, "big")),
        "y": b64url(numbers.y.to_bytes(COORDINATE_BYTES, "big")),
    }


def key_id(jwk: Mapping[str, str]) -> bytes:
    """The first 8 bytes of the key's thumbprint. Source: RFC 7638, section 3."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).digest()[:KEY_ID_BYTES]


def published(
    jwk: Mapping[str, str],
    status: KeyStatus,
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    compromised_at: datetime | None = None,
) -> dict[str, str]:
    """The key as `/.well-known/jwks.json` shows it; instants that are None are left out."""
    members = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    instants = {"not_before_at": not_before, "not_after_at": not_after, "compromised_at": compromised_at}
    return {
        **members,
        "alg": "ES256",
        "use": "sig",
        "kid": b64url(key_id(jwk)),
        "status": status.value,
        **{name: to_rfc3339(instant) for name, instant in instants.items() if instant is not None},
    }


def read_keys(document: object) -> dict[bytes, SigningKey]:
    """The keys of a JWK set, by their recomputed ids; keys of other kinds are passed over.

    A `kid` that is not the key's own thumbprint is refused: whoever can rename keys could swap them.
    Raises: KeysError when `document` is no key set, or a P-256 key in it is malformed, off the curve, or weak.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise KeysError("not a set of keys")
    found: dict[bytes, SigningKey] = {}
    for jwk in keys:
        if not isinstance(jwk, dict):
            raise KeysError("a key is no object")
        if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256" and jwk.get("alg", "ES256") == "ES256":
            key = _read_key(jwk)
            found[key.kid] = key
    return found


def _read_key(jwk: Mapping[str, Any]) -> SigningKey:
    x, y = _coordinate(jwk.get("x")), _coordinate(jwk.get("y"))
    try:
        public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise KeysError("the point is not on the curve") from error
    if is_weak_p256(x, y):
        raise KeysError("a key is weak")
    kid = key_id({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})
    if "kid" in jwk and jwk["kid"] != b64url(kid):
        raise KeysError("a key's id is not its thumbprint")
    try:
        status = KeyStatus(jwk.get("status", "active"))
    except ValueError as error:
        raise KeysError("a key's status is unknown") from error
    return SigningKey(
        kid,
        public_key,
        status,
        _instant(jwk, "not_before_at"),
        _instant(jwk, "not_after_at"),
        _instant(jwk, "compromised_at"),
    )


def _instant(jwk: Mapping[str, Any], name: str) -> datetime | None:
    if name not in jwk:
        return None
    try:
        return from_rfc3339(str(jwk[name]))
    except ValueError as error:
        raise KeysError(f"a key's {name} is no time") from error


def _coordinate(text: object) -> int:
    if not isinstance(text, str):
        raise KeysError("a coordinate is missing")
    raw = from_b64url(text)
    if len(raw) != COORDINATE_BYTES or b64url(raw) != text:
        raise KeysError("a coordinate is not 32 bytes in base64url")
    return int.from_bytes(raw, "big")


def b64url(raw: bytes) -> str:
    """Base64url without padding. Source: RFC 7515, section 2."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_b64url(text: str) -> bytes:
    """The bytes of unpadded base64url.

    Raises: KeysError for other characters.
    """
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeysError("not base64url") from error
