"""The pasts as files: for each city its packed rows, and the few that change from today on.

Run `python -m demo.past.files FOLDER DAY`: five cities up to this day, the same bytes on every run.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final

from avarez import ids, keys
from avarez.dynamo import to_item
from avarez.events.chain import Carried
from avarez.events.log import carried_item, event_item, head_item
from avarez.journal import JournalEntry, journal_item
from demo.past.cars import CARS
from demo.past.city import Past

ROWS_A_BLOCK: Final = 32
LEVEL: Final = 6
PROCESSES: Final = 2

Item = dict[str, Any]


def make(folder: Path, through: date, *, percent: int = 100, cities: Sequence[str] = tuple(CARS)) -> None:
    """Every city's files, the largest first, so that both cores end together; older folders go."""
    if folder.exists():
        return
    key = folder.name.partition("-")[0]
    for old in folder.parent.glob("*"):
        if not old.name.startswith(f"{key}-{through.isoformat()}"):
            shutil.rmtree(old, ignore_errors=True)
    unfinished = folder.with_name(f"{folder.name}.{time.time_ns()}")
    unfinished.mkdir(parents=True)
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(write_city, *zip(*((unfinished, city, through, percent) for city in cities), strict=True)))
    unfinished.rename(folder)


def write_city(folder: Path, city: str, through: date, percent: int = 100) -> int:
    """The city's two files; how many visits they hold."""
    source = Random(f"avarez past ids {city} {through}")  # noqa: S311 - repeatable on purpose
    with ids.drawn_from(source.getrandbits):
        past = Past(city, through, percent=percent)
        past.run()
    packed, loose = _divided(past)
    digest = sha256()
    with open(folder / f"{city}.jsonl", "wb") as file:
        for line in packed_lines(packed):
            digest.update(line)
            file.write(line)
    loose += _heads(past, digest.hexdigest())
    (folder / f"{city}.json").write_text(json.dumps(loose) + "\n", "utf-8")
    return past.visits


def _divided(past: Past) -> tuple[list[Item], list[Item]]:
    """What nobody changes any more; and what is open: transfers no bank has told of, and the closes' head."""
    packed, loose = [*_chain(past)], list[Item]()
    outstanding = {item["sk"]["S"] for item in past.closes.items() if item["pk"]["S"] == "TRANSFERS"}
    for item in past.closes.items():
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        is_open = pk == f"{past.city}#TRANSFERS" and f"{past.city}#{sk}" in outstanding
        loose_one = is_open or pk == "TRANSFERS" or (pk, sk) == keys.settled_head(past.city)
        (loose if loose_one else packed).append(item)
    return packed, loose


def _chain(past: Past) -> Iterator[Item]:
    """The events in their places, and the journal with its places in the chain."""
    city = past.city
    places: dict[str, Item] = {}
    for event in past.store.chains[city]:
        stored = event_item(event, str(event.data["occurred_at"]))
        yield _typed(keys.chain_event(city, event.sequence), stored)
        if event.journal is not None:
            places[event.journal.journal_id] = {
                "sequence": event.sequence,
                "previous_hash": event.data["previous_hash"],
                "hash": event.hash,
            }
    for entry in past.store.journal:
        yield _typed(_journal_key(entry), {**journal_item(entry), **places[entry.journal_id]})


def _heads(past: Past, archive_sha256: str) -> list[Item]:
    """How far the chain is, how far it was carried over, and behind which day files of events begin."""
    city = past.city
    head = replace(past.store.head(city), holder="", held_until_at="")
    files = {
        "day": past.through.isoformat(),
        "sequence": head.sequence,
        "hash": head.hash,
        "manifest_sha256": archive_sha256,
    }
    return [
        _typed(keys.chain_carried(city), carried_item(Carried(head.sequence, head.hash))),
        _typed(keys.event_files_last(city), files),
        _typed(keys.chain_head(city), head_item(head)),
    ]


def packed_lines(packed: Sequence[Item]) -> Iterator[bytes]:
    """As `infra/local/engine_process/archive.py` reads them."""
    for rows in _blocks(sorted(packed, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))):
        block = zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), LEVEL)
        told = {
            "keys": [[item["pk"]["S"], item["sk"]["S"]] for item in rows],
            "block": base64.b64encode(block).decode("ascii"),
        }
        body = json.dumps(told, separators=(",", ":")).encode()
        yield b"%08x %s\n" % (zlib.crc32(body), body)


def _blocks(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(rows), ROWS_A_BLOCK):
        yield rows[start : start + ROWS_A_BLOCK]


def _journal_key(entry: JournalEntry) -> keys.Key:
    return keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)


def _typed(key: keys.Key, item: Item) -> Item:
    return to_item({**item, "pk": key[0], "sk": key[1]})


def main(arguments: list[str]) -> None:
    """FOLDER DAY [PERCENT [CITY…]]"""
    folder, day, *more = arguments
    cities = tuple(more[1:]) or tuple(CARS)
    make(Path(folder), date.fromisoformat(day), percent=int(more[0]) if more else 100, cities=cities)


if __name__ == "__main__":
    main(sys.argv[1:])
