"""Every signing key, past, present and next, in one token signed by the root key.

A JWS in compact form, type `jwk-set+jwt`: `{iss, sub, iat, exp, keys}`, where `keys` is what `jwks.json` shows.
Whoever keeps the root's public key needs no trust in whoever hands the token over, and sees an older one by its
`iat`. The token never says where its key is: no `jku`, no `jwk`, no `x5u`.
Source: RFC 7515 (JWS); OpenID Federation 1.0, section 5.2.1.1 (signed JWK sets).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.certificates.jwks import KeysError, KeySet, SigningKey, b64url, from_b64url, read_keys
from avarez.certificates.signatures import is_signed_by
from avarez.ports import Signer

TYPE: Final = "jwk-set+jwt"
MEDIA_TYPE: Final = "application/jwk-set+jwt"
#: A set of 256 keys takes about 90 kB.
TOKEN_CHARACTERS_MAX: Final = 200_000
#: Signed anew each day; a verifier without a network may use it for this long.
LIFETIME: Final = timedelta(days=30)
#: A clock that is behind ours may be so by this much.
SKEW: Final = timedelta(minutes=5)
_SECONDS_MAX: Final = 1 << 40


class HistoryError(ValueError):
    """The token is no key history, is not signed by the root, or is not to be used any more."""


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """A history whose signature is good. `document` is the JWK set as it stands in the token."""

    keys: dict[bytes, SigningKey]
    document: dict[str, Any]
    issuer: str
    issued_at: datetime
    expires_at: datetime


def sign_history(keys: Sequence[Mapping[str, str]], *, root: Signer, issuer: str, now: datetime) -> str:
    """The token over `keys` (members as `jwks.published` gives them), good for LIFETIME."""
    claims = {
        "iss": issuer,
        "sub": issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "keys": [dict(key) for key in keys],
    }
    header = {"alg": "ES256", "kid": b64url(root.kid), "typ": TYPE}
    signed = f"{b64url(canonical_bytes(header))}.{b64url(canonical_bytes(claims))}"
    return f"{signed}.{b64url(root.sign(signed.encode('ascii')))}"


def read_history(
    token: str, roots: KeySet, *, now: datetime, not_older_than: datetime | None = None
) -> KeyHistory:
    """The history in `token`, signed by one of `roots`.

    `not_older_than` is when the last history that the caller saw was issued: an earlier one is a rollback.

    Raises: HistoryError.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise HistoryError("longer than any key history")
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise HistoryError("not a JWS in compact form")
    try:
        header, claims, signature = _object(parts[0]), _object(parts[1]), from_b64url(parts[2])
        root = roots.get(from_b64url(str(header.get("kid"))))
    except KeysError as error:
        raise HistoryError("a part is not base64url") from error
    if set(header) != {"alg", "kid", "typ"} or header["alg"] != "ES256" or header["typ"] != TYPE:
        raise HistoryError("the header is not {ES256, kid, jwk-set+jwt}")
    if root is None or not is_signed_by(root.public_key, f"{parts[0]}.{parts[1]}".encode("ascii"), signature):
        raise HistoryError("the root did not sign this")
    issued_at, expires_at = _instant(claims.get("iat")), _instant(claims.get("exp"))
    if issued_at > now + SKEW or expires_at <= now:
        raise HistoryError("the history is not of this time")
    if not_older_than is not None and issued_at < not_older_than:
        raise HistoryError("a later history was seen before")
    document = {"keys": claims.get("keys")}
    try:
        keys = read_keys(document)
    except KeysError as error:
        raise HistoryError(str(error)) from error
    return KeyHistory(keys, document, str(claims.get("iss", "")), issued_at, expires_at)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(from_b64url(part))
    except (ValueError, RecursionError) as error:
        raise HistoryError("a part is no JSON") from error
    if not isinstance(found, dict):
        raise HistoryError("a part is no object")
    return found


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < _SECONDS_MAX:
        raise HistoryError("a time is missing")
    return datetime.fromtimestamp(seconds, UTC)
