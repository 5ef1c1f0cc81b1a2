"""The log's key, whose private half never leaves KMS."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.errors import ServiceBusy

#: Before the 32 bytes of the key in KMS's answer. Source: RFC 8410, sections 3 and 4 (SubjectPublicKeyInfo).
_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
_KEY_BYTES: Final = 32


class KmsNoteSigner:
    """Signs with an ECC_NIST_EDWARDS25519 key in KMS.

    Source: KMS API reference, Sign (ED25519_SHA_512, MessageType RAW, up to 4,096 bytes); ours have about 150.
    """

    def __init__(self, kms: Any, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @cached_property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key; asked for once a process."""
        try:
            der: bytes = self._kms.get_public_key(KeyId=self._key_id)["PublicKey"]
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy("The signing service does not answer.") from error
        if not der.startswith(_SPKI_PREFIX) or len(der) != len(_SPKI_PREFIX) + _KEY_BYTES:
            raise ServiceBusy("The log's key is no Ed25519 key.")
        return der.removeprefix(_SPKI_PREFIX)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature.

        Raises: ServiceBusy whenever KMS does not sign; there is no other signer to fall back to, on purpose.
        """
        try:
            answer = self._kms.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy("The signing service does not answer.") from error
        signature: bytes = answer["Signature"]
        return signature
