"""The use case: what ended since last time is published; all of it anew each hour, or for a new key or address.

Safe to run twice at once and to die anywhere. A run reads the marks, then takes a time of issue that no other run
has, and only then reads what ended: of two runs the one with the later time has seen at least what the other was
woken for, and only a later list replaces one that is published. Marks are deleted last, each by its own name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from avarez.certificates.status import SHARD_PLACES, CertificateStatus, shards_through
from avarez.certificates.status_list import LIST_PATH, STATUS_AGE_MAX, VALUE_OF, sign_list
from avarez.clock import tehran_today
from avarez.jalali import to_jalali
from avarez.ports import Signer

#: So that a list is at most an hour old wherever nothing ended, and a verifier's day of patience has room.
SIGN_EVERY: Final = timedelta(hours=1)
#: The name of the list of all shards; the others are named by their number.
WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True)
class Mark:
    """That a certificate of this shard ended and that nobody has published it yet."""

    shard: int
    certificate_id: str


class Lists(Protocol):
    """What ended, and what of it is published."""

    def marks(self) -> Sequence[Mark]: ...

    def last_round(self) -> tuple[datetime, bytes, str] | None:
        """When every list was signed last, with which key, and for which address."""
        ...

    def claim(self, now: datetime) -> datetime:
        """A time of issue, in whole seconds, later than any other run's: now, or a little after it."""
        ...

    def ends(self, shard: int) -> Mapping[int, CertificateStatus]:
        """The places of a shard whose certificates ended."""
        ...

    def publish(self, name: str, token: bytes, issued_at: datetime) -> None:
        """Lets the list be read under its name, unless a later one is there."""
        ...

    def note_round(self, issued_at: datetime, kid: bytes, origin: str) -> None: ...

    def clear(self, marks: Sequence[Mark]) -> None: ...


def publish_due(*, lists: Lists, signer: Signer, origin: str, now: datetime) -> int:
    """How many lists were signed and published; 0 when nothing ended and the last round is recent.

    Raises: ServiceBusy; the marks still stand and the next run does the work.
    """
    marks = lists.marks()
    last = lists.last_round()
    every = range(shards_through(to_jalali(tehran_today(now)).year))
    is_round = last is None or now - last[0] >= SIGN_EVERY or last[1:] != (signer.kid, origin)
    due = list(every) if is_round else sorted({mark.shard for mark in marks})
    if not due:
        return 0
    issued_at = lists.claim(now)
    ended = {shard: _values(lists.ends(shard)) for shard in {*every, *due}}
    for shard in due:
        token = _signed(f"{origin}{LIST_PATH}/{shard}", ended[shard], 1, signer, issued_at)
        lists.publish(str(shard), token, issued_at)
    whole = {shard * SHARD_PLACES + place: value for shard in ended for place, value in ended[shard].items()}
    token = _signed(f"{origin}{LIST_PATH}", whole, max(ended) + 1, signer, issued_at)
    lists.publish(WHOLE, token, issued_at)
    if is_round:
        lists.note_round(issued_at, signer.kid, origin)
    lists.clear(marks)
    return len(due) + 1


def _values(ends: Mapping[int, CertificateStatus]) -> dict[int, int]:
    return {place: VALUE_OF[status] for place, status in ends.items()}


def _signed(subject: str, values: Mapping[int, int], shards: int, signer: Signer, issued_at: datetime) -> bytes:
    return sign_list(
        subject,
        values,
        places=shards * SHARD_PLACES,
        signer=signer,
        now=issued_at,
        lifetime=STATUS_AGE_MAX,
    )
