"""The states that a certificate's record goes through, and its place in the status list."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

#: Places of one shard of the status list; an index is its shard's number times this, plus the place.
SHARD_PLACES: Final = 1 << 20
SHARDS_MAX: Final = 1 << 12
#: Certificates of this Jalali year of issue take the first shards.
FIRST_YEAR: Final = 1405
#: 33.5 million places a year: 25 million certificates find one in 1.9 draws on average, 4 at the year's end.
SHARDS_PER_YEAR: Final = 32


class CertificateStatus(StrEnum):
    """The states of our record: `preparing` until the PDF is stored and read back."""

    PREPARING = "preparing"
    IN_FORCE = "in_force"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


def draw_index(year: int, lot: Callable[[int], int]) -> int:
    """A place among those of certificates issued in this Jalali year, each as likely as any other.

    Places are drawn and not counted up, so that neighbours in the list have nothing in common. `lot(n)` gives a
    number from 0 to below n. Whoever takes the place sees to it that nobody else has it.
    """
    first_shard = max(year - FIRST_YEAR, 0) * SHARDS_PER_YEAR
    if first_shard + SHARDS_PER_YEAR > SHARDS_MAX:
        raise ValueError("the status list has no shards for this year")
    return first_shard * SHARD_PLACES + lot(SHARDS_PER_YEAR * SHARD_PLACES)


def shards_through(year: int) -> int:
    """How many shards there are for certificates of all Jalali years up to this one."""
    return (max(year - FIRST_YEAR, 0) + 1) * SHARDS_PER_YEAR
