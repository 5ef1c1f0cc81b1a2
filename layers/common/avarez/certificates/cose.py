"""COSE_Sign1 with ES256, in the one spelling that certificates use.

The message is `18([protected, {}, payload, signature])`; `protected` is `{1: -7, 4: kid}` with a kid of 8 bytes;
the signature is r || s, 32 bytes each, with s in the lower half of the group, so that (r, n - s), which the curve
accepts as well, is refused and a certificate cannot be respelt.
Source: RFC 9052, sections 4.2 and 4.4; RFC 9053, section 2.1; FIPS 186-5, section 6.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from avarez.certificates import cbor
from avarez.ports import Signer

KEY_ID_BYTES: Final = 8
SIGNATURE_BYTES: Final = 64
#: The order of the group P-256. Source: SP 800-186, section 3.2.1.3.
GROUP_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

TAG_SIGN1: Final = b"\xd2"  # tag 18. RFC 9052, section 4.2
_ALGORITHM, _KEY_ID = 1, 4  # header labels. RFC 9052, section 3.1
_ES256: Final = -7  # RFC 9053, section 2.1


class CoseError(ValueError):
    """The bytes are no certificate message: they cannot be read, whoever signed them."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A certificate message taken apart; nothing about its signature is known yet."""

    key_id: bytes
    payload: bytes
    signature: bytes
    protected: bytes


def sign(payload: bytes, signer: Signer) -> bytes:
    """The COSE_Sign1 message over `payload`, ready for the link. Each call may give another signature."""
    protected = protected_header(signer.kid)
    signature = signer.sign(signing_input(protected, payload))
    if not signature_in_range(signature):
        raise CoseError("the signer answered something that is no ES256 signature with a low s")
    return TAG_SIGN1 + cbor.encode([protected, {}, payload, signature])


def parse(message: bytes) -> SignedMessage:
    """The parts of `message`, which is spelt exactly as `sign` spells it.

    Raises: CoseError for everything else: trailing bytes, other headers, another algorithm, DER signatures.
    The range of r and s is judged by `verify`, since a number out of range is a bad signature, not bad bytes.
    """
    if message[:1] != TAG_SIGN1:
        raise CoseError("not a COSE_Sign1 message")
    try:
        content = cbor.decode(message[1:])
    except cbor.CborError as error:
        raise CoseError(str(error)) from error
    if not isinstance(content, list) or len(content) != 4:
        raise CoseError("a COSE_Sign1 message has four parts")
    protected, unprotected, payload, signature = content
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise CoseError("header, payload and signature are byte strings")
    if unprotected != {}:
        raise CoseError("unprotected headers are not used")
    if len(signature) != SIGNATURE_BYTES:
        raise CoseError("the signature is not r || s of 64 bytes")
    return SignedMessage(_key_id_of(protected), payload, signature, protected)


def verify(message: SignedMessage, public_key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `public_key` signed `message`."""
    return signature_holds(message.signature, signing_input(message.protected, message.payload), public_key)


def signature_holds(signature: bytes, signed: bytes, public_key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `signature` is r || s with both in range, s low, and the curve's equation holds for `signed`."""
    if not signature_in_range(signature):
        return False
    r, s = _numbers(signature)
    try:
        public_key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def protected_header(key_id: bytes) -> bytes:
    """The encoded protected header for the key `key_id` (8 bytes)."""
    if len(key_id) != KEY_ID_BYTES:
        raise CoseError("a key id has 8 bytes")
    return cbor.encode({_ALGORITHM: _ES256, _KEY_ID: key_id})


def signing_input(protected: bytes, payload: bytes) -> bytes:
    """The bytes that are signed: RFC 9052, section 4.4, with empty external data."""
    return cbor.encode(["Signature1", protected, b"", payload])


def signature_in_range(signature: bytes) -> bool:
    """Whether `signature` is 64 bytes with 1 <= r < n and 1 <= s <= n / 2."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = _numbers(signature)
    return 1 <= r < GROUP_ORDER and 1 <= s <= GROUP_ORDER // 2


def raw_from_der(der: bytes) -> bytes:
    """The DER signature of KMS or OpenSSL as r || s of 64 bytes, with s moved into the lower half.

    (r, s) and (r, n - s) are signatures of the same message by the same key; we publish the lower one only.
    Raises: CoseError when `der` is none.
    """
    try:
        r, s = decode_dss_signature(der)
    except ValueError as error:
        raise CoseError("not a DER signature") from error
    if s > GROUP_ORDER // 2:
        s = GROUP_ORDER - s
    if not (0 < r < GROUP_ORDER and s > 0):
        raise CoseError("the signature is out of range")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _key_id_of(protected: bytes) -> bytes:
    try:
        header = cbor.decode(protected)
    except cbor.CborError as error:
        raise CoseError("the protected header cannot be read") from error
    if not isinstance(header, dict) or set(header) != {_ALGORITHM, _KEY_ID} or header[_ALGORITHM] != _ES256:
        raise CoseError("the protected header is not {algorithm ES256, key id}")
    key_id = header[_KEY_ID]
    if not isinstance(key_id, bytes) or len(key_id) != KEY_ID_BYTES:
        raise CoseError("a key id has 8 bytes")
    return key_id


def _numbers(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
