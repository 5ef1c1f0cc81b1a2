"""Owners' ids at rest: a keyed hash to find them by, and the id sealed under a key of the owner's own.

Erasing an owner is deleting one item: without the owner's key no sealed id can be opened again. The keyed
hash cannot be reversed by trying all ten-digit numbers, since the key is in the secret store only.

The library of ciphers is loaded by the first seal: most requests of a cold function need none.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D, 8.2.2: 96-bit random nonces, far fewer than 2^32 under one key."""
MASTER_CHARACTERS_MIN: Final = 32


@dataclass(frozen=True, slots=True)
class OwnerSeals:
    """What the master secret can do; each purpose has a key of its own derived from it.

    Source: RFC 5869 (HKDF), one `info` for each purpose.
    """

    _hash_key: bytes
    _wrap_key: bytes
    _transit_key: bytes

    @classmethod
    def from_secret(cls, secret: str) -> OwnerSeals:
        """The seals under this master secret.

        Raises:
            ValueError: the secret is too short to be one.
        """
        if len(secret) < MASTER_CHARACTERS_MIN:
            raise ValueError(f"the owners' master secret needs at least {MASTER_CHARACTERS_MIN} characters")
        master = secret.encode()
        return cls(*(_derived(master, purpose) for purpose in (b"hash", b"wrap", b"transit")))

    def owner_hash(self, owner_id: str) -> str:
        """The keyed hash of a normalised id, 64 hexadecimal digits: the same for the same owner, always."""
        return hmac.new(self._hash_key, owner_id.encode(), sha256).hexdigest()

    def new_wrapped_key(self, owner_hash: str) -> bytes:
        """A fresh key for this owner, wrapped under the master and bound to the owner."""
        return _seal(self._wrap_key, secrets.token_bytes(KEY_BYTES), owner_hash)

    def seal(self, owner_id: str, owner_hash: str, wrapped_key: bytes) -> bytes:
        """The id under the owner's own key."""
        return _seal(_open(self._wrap_key, wrapped_key, owner_hash), owner_id.encode(), owner_hash)

    def open(self, sealed: bytes, owner_hash: str, wrapped_key: bytes) -> str:
        """The id that was sealed.

        Raises:
            ValueError: another owner's, or altered.
        """
        return _open(_open(self._wrap_key, wrapped_key, owner_hash), sealed, owner_hash).decode()

    def seal_in_transit(self, owner_id: str, context: str) -> bytes:
        """The id for a chunk object between checking and staging; `context` names the roll."""
        return _seal(self._transit_key, owner_id.encode(), context)

    def open_in_transit(self, sealed: bytes, context: str) -> str:
        """The id that `seal_in_transit` sealed for the same roll.

        Raises:
            ValueError: another roll's, or altered.
        """
        return _open(self._transit_key, sealed, context).decode()


def _derived(master: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b"avarez owner " + purpose + b" v1"
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


def _seal(key: bytes, plain: bytes, context: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except InvalidTag:
        raise ValueError("the seal does not open: another owner's, or altered") from None
