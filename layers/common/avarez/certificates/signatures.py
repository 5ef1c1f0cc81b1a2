"""ES256 signatures as they stand in messages and tokens: r || s, 64 bytes, s in the lower half.

Source: RFC 7518, section 3.4; RFC 9053, section 2.1.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from avarez.certificates.cose import signature_in_range


def is_signed_by(public_key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    """Whether `signature`, in its one spelling, is this key's over `signed`."""
    if not signature_in_range(signature):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
