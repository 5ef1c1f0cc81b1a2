"""What the status list weighs at 25 million certificates of which one in a thousand ended."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from avarez.certificates import jwks
from avarez.certificates.status import SHARD_PLACES, SHARDS_PER_YEAR
from avarez.certificates.status_list import STATUS_AGE_MAX, TokenStatus, read_list, sign_list
from benchmarks.certificates.document import LocalSigner
from benchmarks.report import Figure, plain

GROUP = "the status list: 25 million certificates, 0.1 % ended"
AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ENDED = 25_000
SUBJECT = "https://avarez.example/.well-known/avarez/status"


def figures(rounds: int) -> list[Figure]:
    """Bytes of the whole list and of each shard's, and milliseconds to sign and to read."""
    signer = LocalSigner()
    keys = jwks.read_keys({"keys": [jwks.published(signer.jwk, jwks.KeyStatus.ACTIVE)]})
    draw = random.Random(1405)  # noqa: S311 - the same lists on every run
    indexes = draw.sample(range(SHARDS_PER_YEAR * SHARD_PLACES), ENDED)
    values = {index: draw.choice((TokenStatus.INVALID, TokenStatus.SUPERSEDED)) for index in indexes}

    def signed(ended: dict[int, TokenStatus], shards: int) -> bytes:
        places = shards * SHARD_PLACES
        return sign_list(SUBJECT, ended, places=places, signer=signer, now=AT, lifetime=STATUS_AGE_MAX)

    by_shard: dict[int, dict[int, TokenStatus]] = {}
    for index, value in values.items():
        by_shard.setdefault(index // SHARD_PLACES, {})[index % SHARD_PLACES] = value
    shards = [signed(ended, 1) for ended in by_shard.values()]
    whole, signing_ms, reading_ms = b"", [], []
    for _ in range(min(rounds, 5)):
        started = time.perf_counter()
        whole = signed(values, SHARDS_PER_YEAR)
        signing_ms.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        read_list(whole, keys, now=AT)
        reading_ms.append((time.perf_counter() - started) * 1000)
    return [
        plain(GROUP, "one shard of 2^20 places", [len(token) / 1000 for token in shards], "kB", 2),
        plain(GROUP, "the whole fleet in one file", [len(whole) / 1000], "kB"),
        plain(GROUP, "the whole, packed and signed", signing_ms, "ms", 0),
        plain(GROUP, "the whole, read and verified", reading_ms, "ms", 0),
    ]
