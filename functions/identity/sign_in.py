"""Tokens for a password or for a refresh token; every refusal reads and lasts the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from avarez.errors import CredentialsRefused

REFUSAL_MIN_S = 0.4
"""No refusal comes sooner: an unknown name costs the pool no password check, and would answer faster."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a successful sign-in gives; a refresh keeps its refresh token."""

    access_token: str
    id_token: str
    refresh_token: str
    expires_in: int


class Pool(Protocol):
    """The user pool. Each call raises CredentialsRefused for whatever is wrong with what was given."""

    def by_password(self, username: str, password: str, *, source_ip: str) -> Tokens:
        """Tokens for the password."""
        ...

    def by_refresh_token(self, refresh_token: str) -> Tokens:
        """Fresh tokens."""
        ...


def sign_in(
    *,
    pool: Pool,
    username: str | None,
    password: str | None,
    refresh_token: str | None,
    source_ip: str,
    now_s: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Tokens:
    """The tokens for one of the two kinds of credentials.

    Raises: CredentialsRefused, no sooner than REFUSAL_MIN_S after the call began.
    """
    started_s = now_s()
    try:
        if refresh_token is not None:
            return pool.by_refresh_token(refresh_token)
        return pool.by_password(username or "", password or "", source_ip=source_ip)
    except CredentialsRefused:
        wait(max(0.0, REFUSAL_MIN_S - (now_s() - started_s)))
        raise
