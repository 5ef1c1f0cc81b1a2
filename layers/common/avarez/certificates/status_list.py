"""Which certificates ended, as a signed list: two bits for each place, packed, and good for a while.

A CBOR Web Token of the type `application/statuslist+cwt` (`{2: sub, 4: exp, 6: iat, 65533: {bits, lst},
65534: ttl}`) in a COSE_Sign1 with the protected header `{1: -7, 4: kid, 16: type}`, in one spelling. A
certificate names its place (payload's key 12). The list of one shard holds 2**20 places and has the shard's number
for a name; that of the whole fleet holds every shard's places one after another, so that the place in it is the
index itself.

A place that is 0 says nothing about the existence of a certificate: its signature does.
Source: draft-ietf-oauth-status-list, sections 4 (bits and compression), 5.2 (CWT), 7.1 (values); RFC 8392.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from avarez.certificates import cbor, cose
from avarez.certificates.jwks import KeySet, KeyStatus
from avarez.certificates.signatures import is_signed_by
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.ports import Signer

TYPE: Final = "application/statuslist+cwt"
LIST_PATH: Final = "/.well-known/avarez/status"
"""Where the list of the whole fleet lies; a shard's has the shard's number below it."""
BITS: Final = 2
#: The whole fleet over sixteen years; 128 MiB unpacked.
PLACES_MAX: Final = 512 * SHARD_PLACES
#: 25 million certificates with one in a hundred ended take 400 kB.
LIST_BYTES_MAX: Final = 16 * 1024 * 1024
#: A list is signed anew each hour; a verifier without a network may use it for a day and two hours.
STATUS_AGE_MAX: Final = timedelta(hours=26)
#: How long whoever is online may keep a list before asking again.
TTL: Final = timedelta(seconds=30)
#: A clock that is behind ours may be so by this much.
SKEW: Final = timedelta(minutes=5)

_TAG_SIGN1: Final = b"\xd2"
_SUBJECT, _EXPIRES, _ISSUED, _STATUS_LIST, _TTL = 2, 4, 6, 65_533, 65_534
_SECONDS_MAX: Final = 1 << 40


class StatusListError(ValueError):
    """The bytes are no status list of ours, or one that is not to be used."""


class TokenStatus(IntEnum):
    """The values of two bits. Source: the draft, section 7.1; 3 is left to the application."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2
    SUPERSEDED = 3


#: What a certificate's end is in the list.
VALUE_OF: Final = {
    CertificateStatus.REVOKED: TokenStatus.INVALID,
    CertificateStatus.SUPERSEDED: TokenStatus.SUPERSEDED,
}
_STATUS_OF: Final = {
    TokenStatus.VALID: CertificateStatus.IN_FORCE,
    TokenStatus.INVALID: CertificateStatus.REVOKED,
    TokenStatus.SUSPENDED: CertificateStatus.REVOKED,
    TokenStatus.SUPERSEDED: CertificateStatus.SUPERSEDED,
}


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list whose signature is good: what it says held at `issued_at`."""

    subject: str
    issued_at: datetime
    expires_at: datetime
    ttl: timedelta
    packed: bytes

    @property
    def places(self) -> int:
        """How many places the list has."""
        return len(self.packed) * 8 // BITS

    def status(self, place: int) -> CertificateStatus | None:
        """The status at this place: of a shard's list the place in the shard, of the whole list the index.

        None where the list does not reach, so that nothing can be told. A suspended certificate counts as revoked:
        we suspend none.
        """
        if not 0 <= place < self.places:
            return None
        return _STATUS_OF[TokenStatus(value_at(self.packed, place, BITS))]

    def is_fresh(self, now: datetime, age_max: timedelta = STATUS_AGE_MAX) -> bool:
        """Whether it may still be judged by; if not, nothing can be told since `issued_at`."""
        return now < self.expires_at and now - self.issued_at <= age_max


def pack(values: Mapping[int, int], places: int) -> bytes:
    """Two bits for each of `places` (a multiple of four), the lowest ones first; places not in `values` are 0."""
    packed = bytearray(places * BITS // 8)
    for place, value in values.items():
        packed[place * BITS // 8] |= value << (place * BITS % 8)
    return bytes(packed)


def value_at(packed: bytes, place: int, bits: int) -> int:
    """The value of one place. Source: the draft, section 4.1: from the least significant bit on."""
    return packed[place * bits // 8] >> (place * bits % 8) & ((1 << bits) - 1)


def compress(packed: bytes) -> bytes:
    """DEFLATE with the ZLIB format at the highest level. Source: the draft, section 4.1."""
    return zlib.compress(packed, 9)


def decompress(compressed: bytes, bytes_max: int) -> bytes:
    """The bits, and never more than `bytes_max` of them.

    Raises: StatusListError.
    """
    unpacking = zlib.decompressobj()
    try:
        packed = unpacking.decompress(compressed, bytes_max + 1)
    except zlib.error as error:
        raise StatusListError("the list cannot be unpacked") from error
    if len(packed) > bytes_max or not unpacking.eof or unpacking.unused_data:
        raise StatusListError("the list is too long, or is cut off")
    return packed


def sign_list(
    subject: str, values: Mapping[int, int], *, places: int, signer: Signer, now: datetime, lifetime: timedelta
) -> bytes:
    """The signed list; `subject` is its address, `now` is cut to the second."""
    claims: cbor.CborValue = {
        _SUBJECT: subject,
        _EXPIRES: int((now + lifetime).timestamp()),
        _ISSUED: int(now.timestamp()),
        _STATUS_LIST: {"bits": BITS, "lst": compress(pack(values, places))},
        _TTL: int(TTL.total_seconds()),
    }
    protected = cbor.encode({1: -7, 4: signer.kid, 16: TYPE})
    payload = cbor.encode(claims)
    signature = signer.sign(cose.signing_input(protected, payload))
    return _TAG_SIGN1 + cbor.encode([protected, {}, payload, signature])


def read_list(
    token: bytes,
    keys: KeySet,
    *,
    now: datetime,
    subject: str | None = None,
    not_older_than: datetime | None = None,
) -> StatusList:
    """The list in `token`, signed by a key that is not stolen.

    `subject` is where it should come from, so that no shard stands for another. `not_older_than` is when the last
    list of this subject that the caller saw was issued: an earlier one is a rollback and is refused. Age is the
    caller's to judge (`is_fresh`), since an old list is no forgery.

    Raises: StatusListError.
    """
    protected, payload, signature = _parts(token)
    key = keys.get(_key_id(protected))
    if key is None or key.status is KeyStatus.COMPROMISED:
        raise StatusListError("no key of ours that may be trusted signed this list")
    if not is_signed_by(key.public_key, cose.signing_input(protected, payload), signature):
        raise StatusListError("the signature is not good")
    claims = _decoded(payload)
    if not isinstance(claims, dict) or set(claims) != {_SUBJECT, _EXPIRES, _ISSUED, _STATUS_LIST, _TTL}:
        raise StatusListError("a claim is missing or unknown")
    found = StatusList(
        subject=str(claims[_SUBJECT]),
        issued_at=_instant(claims[_ISSUED]),
        expires_at=_instant(claims[_EXPIRES]),
        ttl=timedelta(seconds=_integer(claims[_TTL])),
        packed=_bits(claims[_STATUS_LIST]),
    )
    if subject is not None and found.subject != subject:
        raise StatusListError("the list is of other certificates")
    if found.issued_at > now + SKEW:
        raise StatusListError("the list is not of this time")
    if not_older_than is not None and found.issued_at < not_older_than:
        raise StatusListError("a later list was seen before")
    return found


def _parts(token: bytes) -> tuple[bytes, bytes, bytes]:
    if token[:1] != _TAG_SIGN1:
        raise StatusListError("not a COSE_Sign1 message")
    content = _decoded(token[1:])
    if not isinstance(content, list) or len(content) != 4 or content[1] != {}:
        raise StatusListError("a COSE_Sign1 message has four parts, the second of them empty")
    protected, _, payload, signature = content
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise StatusListError("header, payload and signature are byte strings")
    return protected, payload, signature


def _key_id(protected: bytes) -> bytes:
    header = _decoded(protected)
    if not isinstance(header, dict) or set(header) != {1, 4, 16} or header[1] != -7 or header[16] != TYPE:
        raise StatusListError("the protected header is not {ES256, key id, statuslist+cwt}")
    return header[4] if isinstance(header[4], bytes) else b""


def _decoded(encoded: bytes) -> cbor.CborValue:
    try:
        return cbor.decode(encoded, bytes_max=LIST_BYTES_MAX, text_keys=True)
    except cbor.CborError as error:
        raise StatusListError(str(error)) from error


def _bits(value: cbor.CborValue) -> bytes:
    if not isinstance(value, dict) or set(value) != {"bits", "lst"} or value["bits"] != BITS:
        raise StatusListError("not a list of two bits a place")
    compressed = value["lst"]
    if not isinstance(compressed, bytes):
        raise StatusListError("the list is no byte string")
    return decompress(compressed, PLACES_MAX * BITS // 8)


def _instant(value: cbor.CborValue) -> datetime:
    return datetime.fromtimestamp(_integer(value), UTC)


def _integer(value: cbor.CborValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _SECONDS_MAX:
        raise StatusListError("a number is missing or out of bounds")
    return value
