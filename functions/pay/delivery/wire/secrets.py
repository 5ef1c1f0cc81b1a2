"""The secrets by which cities know our messages, each derived from one master in the secret store. Pure.

A derived secret needs no place of its own: there is none to leak from a table, a backup or a log, and a rotation
is a number. Source: NIST SP 800-108r1, section 4.1 (KDF in counter mode, one block of HMAC-SHA256).
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from avarez.webhooks import SECRET_PREFIX

MASTER_CHARACTERS_MIN: Final = 32
SECRETS_KEPT: Final = 64
"""In a process that holds the master anyway: one endpoint is sent many messages in a row."""
_LABEL: Final = b"avarez webhook secret"
_BITS: Final = 256


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What the master can do.

    Raises:
        ValueError: the master is too short to be one.
    """

    master: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.master) < MASTER_CHARACTERS_MIN:
            raise ValueError(f"the webhooks' master secret needs at least {MASTER_CHARACTERS_MIN} characters")

    def secret(self, municipality: str, endpoint_id: str, generation: int) -> str:
        """`whsec_…` with 256 bits: another one for each city, endpoint and generation."""
        return _derived(self.master, f"{municipality}\0{endpoint_id}\0{generation}")


@lru_cache(maxsize=SECRETS_KEPT)
def _derived(master: str, context: str) -> str:
    fixed = (1).to_bytes(4, "big") + _LABEL + b"\0" + context.encode() + _BITS.to_bytes(4, "big")
    derived = hmac.digest(master.encode(), fixed, "sha256")
    return SECRET_PREFIX + base64.b64encode(derived).decode("ascii")
