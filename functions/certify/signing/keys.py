"""The keys' register: `next` → `active` → `retired`, and `compromised` from any of them.

Keys are made by a deployment and by nothing else: no function has the right to make one. A deployment carries a
pool of KMS keys; each is published as `next` before it may sign, so that whoever checks without a network knows it
by then. One key signs. The next one takes over on schedule, when an operator says so, or at once when the old one
is stolen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from avarez.certificates.jwks import KeyStatus, b64url, published
from avarez.errors import ServiceBusy, SigningKeyNotFound, StandbyKeyMissing, TransactionRefused
from functions.certify.certificates.issuing import PublicSigner

#: A year: long enough that a verifier has few keys, short enough that rotating stays a habit.
SIGNS_FOR: Final = timedelta(days=365)
#: A key is published for this long before the schedule lets it sign; pages and command lines refresh daily.
PUBLISHED_BEFORE: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key of the register. `kms_key` is empty for a key that no deployment carries any more."""

    kid: str
    jwk: Mapping[str, str]
    status: KeyStatus
    kms_key: str
    enrolled_at: datetime
    not_before: datetime | None = None
    not_after: datetime | None = None
    compromised_at: datetime | None = None
    reason: str = ""

    def public(self) -> dict[str, str]:
        """The key as `jwks.json` shows it."""
        return published(
            self.jwk,
            self.status,
            not_before=self.not_before,
            not_after=self.not_after,
            compromised_at=self.compromised_at,
        )


class Keys(Protocol):
    """The register's store. Every change is one transaction."""

    def all(self) -> Sequence[RegisteredKey]:
        """Every key, in the order of their enrolment."""
        ...

    def active(self) -> str | None:
        """The KMS key that signs now, read consistently; None when none does."""
        ...

    def enrol(self, key: RegisteredKey) -> None:
        """Keeps a key that is not known; a known one is told where its private half lies, and stays as it is."""
        ...

    def change(self, signing: RegisteredKey | None, changed: Sequence[RegisteredKey], successor: str) -> None:
        """Writes `changed`; the KMS key `successor` signs from here on, none if it is empty.

        Raises: TransactionRefused when `signing` is not the key that signs, or a key was changed meanwhile.
        """
        ...


def enrol_pool(pool: Mapping[str, PublicSigner], *, keys: Keys, now: datetime) -> None:
    """Every key of the deployment is in the register, and one of them signs if any can."""
    known = {key.kms_key for key in keys.all()}
    for kms_key, signer in pool.items():
        if kms_key not in known:
            keys.enrol(RegisteredKey(b64url(signer.kid), signer.jwk, KeyStatus.NEXT, kms_key, now))
    if keys.active() is None:
        _start(keys, now)


def active_signer(pool: Mapping[str, PublicSigner], *, keys: Keys, now: datetime) -> PublicSigner:
    """The signer whose key signs at this moment.

    Raises: ServiceBusy when no key may sign; there is nothing to fall back to, on purpose.
    """
    kms_key = keys.active()
    if kms_key is None:
        enrol_pool(pool, keys=keys, now=now)
        kms_key = keys.active()
    if kms_key is None or kms_key not in pool:
        raise ServiceBusy("No key signs at this moment.")
    return pool[kms_key]


def rotate_when_due(*, keys: Keys, now: datetime) -> bool:
    """Whether the next key took over because the active one has signed for SIGNS_FOR."""
    signing, standby = _signing(keys.all()), _standby(keys.all())
    if signing is None or standby is None or signing.not_before is None:
        return False
    if now < signing.not_before + SIGNS_FOR or now < standby.enrolled_at + PUBLISHED_BEFORE:
        return False
    _succeed(keys, replace(signing, status=KeyStatus.RETIRED, not_after=now, reason="schedule"), now)
    return True


def rotate_now(reason: str, *, keys: Keys, now: datetime) -> None:
    """The next key signs from here on; the old one verifies for ever.

    Raises: StandbyKeyMissing when there is none; the old one goes on signing.
    """
    listed = keys.all()
    signing = _signing(listed)
    if _standby(listed) is None:
        raise StandbyKeyMissing()
    if signing is None:
        _start(keys, now)
        return
    _succeed(keys, replace(signing, status=KeyStatus.RETIRED, not_after=now, reason=reason), now)


def mark_compromised(kid: str, since: datetime, reason: str, *, keys: Keys, now: datetime) -> None:
    """From `since` on the key proves nothing by itself. If it signed, the next one does at once, or none does.

    An earlier instant than one already noted stands; a later one changes nothing.

    Raises: SigningKeyNotFound.
    """
    found = next((key for key in keys.all() if key.kid == kid), None)
    if found is None:
        raise SigningKeyNotFound()
    if found.compromised_at is not None and found.compromised_at <= since:
        return
    ended = found.not_after or (now if found.not_before is not None else None)
    marked = replace(found, status=KeyStatus.COMPROMISED, compromised_at=since, not_after=ended, reason=reason)
    if found.status is KeyStatus.ACTIVE:
        _succeed(keys, marked, now)
    else:
        _change(keys, None, [marked], "")


def has_standby(keys: Keys) -> bool:
    """Whether a key waits to take over."""
    return _standby(keys.all()) is not None


def _start(keys: Keys, now: datetime) -> None:
    """The first key of the register that may, signs."""
    listed = keys.all()
    first = _signing(listed) or _standby(listed)
    if first is not None:
        started = replace(first, status=KeyStatus.ACTIVE, not_before=first.not_before or now)
        _change(keys, None, [started], first.kms_key)


def _succeed(keys: Keys, ended: RegisteredKey, now: datetime) -> None:
    signing = replace(ended, status=KeyStatus.ACTIVE)
    successor = _standby(keys.all())
    if successor is None:
        _change(keys, signing, [ended], "")
        return
    started = replace(successor, status=KeyStatus.ACTIVE, not_before=now)
    _change(keys, signing, [ended, started], successor.kms_key)


def _change(keys: Keys, signing: RegisteredKey | None, changed: Sequence[RegisteredKey], successor: str) -> None:
    try:
        keys.change(signing, changed, successor)
    except TransactionRefused as refused:  # somebody else changed the same keys at this moment
        raise ServiceBusy(retry_after_s=1) from refused


def _signing(listed: Sequence[RegisteredKey]) -> RegisteredKey | None:
    return next((key for key in listed if key.status is KeyStatus.ACTIVE and key.kms_key), None)


def _standby(listed: Sequence[RegisteredKey]) -> RegisteredKey | None:
    return next((key for key in listed if key.status is KeyStatus.NEXT and key.kms_key), None)
