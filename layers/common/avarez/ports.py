"""Protocols that more than one function implements or uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Queue(Protocol):
    """Sends messages; a message may arrive more than once and in any order."""

    def send(self, message: dict[str, str], delay_s: int = 0) -> None: ...

    def send_all(self, messages: Sequence[dict[str, str]]) -> None: ...


class Signer(Protocol):
    """Signs bytes with the key `kid`, ES256; the answer is r‖s, 64 bytes."""

    @property
    def kid(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...
