"""The signer whose private key never leaves KMS."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from avarez.certificates import cose, jwks
from avarez.errors import ServiceBusy


class KmsSigner:
    """Signs with an ECC_NIST_P256 key in KMS. Asks for the public key once a process.

    Source: KMS API reference, Sign (ECDSA_SHA_256, MessageType RAW up to 4,096 bytes) answers DER.
    """

    def __init__(self, kms: Any, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The public key's JWK members."""
        try:
            answer = self._kms.get_public_key(KeyId=self._key_id)
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy("The signing service does not answer.") from error
        return jwks.key_from_der(answer["PublicKey"])

    @cached_property
    def kid(self) -> bytes:
        """The first 8 bytes of the key's thumbprint."""
        return jwks.key_id(self.jwk)

    def sign(self, message: bytes) -> bytes:
        """r || s over `message`.

        Raises: ServiceBusy whenever KMS does not sign: throttled, disabled, pending deletion, unreachable.
        There is no other signer to fall back to, on purpose.
        """
        try:
            answer = self._kms.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy("The signing service does not answer.") from error
        return cose.raw_from_der(answer["Signature"])
