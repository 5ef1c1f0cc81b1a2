"""Checks a roll's CSV as the roll's function does, on files instead of a network; prints seconds and peak memory.

A process of its own, so that the peak is the check's alone: reading, judging, sealing owners, chunks, columns.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import IO, Any

from avarez.clock import SystemClock
from functions.assess.owners import OwnerSeals
from functions.assess.roll.staging import Checker

ROLL_ID = "ro_" + "0" * 36


class _Store:
    """One roll's record, in memory."""

    def __init__(self, city: str) -> None:
        self.roll: dict[str, Any] = {
            "municipality": city, "roll_id": ROLL_ID, "status": "awaiting_upload", "version": 1, "chunks_done": 0,
        }  # fmt: skip

    def get(self, municipality: str, roll_id: str) -> dict[str, Any]:
        return dict(self.roll)

    def versions(self, municipality: str) -> list[int]:
        return []

    def move(self, roll: dict[str, Any], changes: dict[str, Any], expected: str, extra: str = "") -> bool:
        if not extra:
            self.roll.update(changes)
        return True


class _Files:
    """The bucket, as one folder; chunks are written over one another, since only their making is measured."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder, self.chunks = path, folder, 0

    def lines(self, key: str) -> IO[str]:
        return self.path.open(encoding="utf-8", newline="")

    def put_chunk(self, key: str, chunk: Any) -> None:
        self.chunks += 1
        (self.folder / "chunk.json").write_text(json.dumps(chunk, ensure_ascii=False, separators=(",", ":")))

    def put_refused(self, municipality: str, roll_id: str, file: IO[bytes]) -> None:
        (self.folder / "refused.csv").write_bytes(file.read())

    def put_facts(self, municipality: str, version: int, file: IO[bytes]) -> None:
        with (self.folder / "facts.columns").open("wb") as out:
            while piece := file.read(1 << 20):
                out.write(piece)


class _Queue:
    """Takes every message."""

    def send(self, messages: Any) -> None:
        """Nothing waits for them here."""


def main() -> None:
    """Arguments: the CSV, the city, a folder for what is made."""
    path, city, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    store, files = _Store(city), _Files(path, folder)
    checker = Checker(store, files, _Queue(), OwnerSeals.from_secret("s" * 64))  # type: ignore[arg-type]  # stand-ins that store nothing
    started = time.perf_counter()
    outcome = checker.check(
        f"uploads/{city}/{ROLL_ID}.csv", size_bytes=path.stat().st_size, etag="e", now=SystemClock().now()
    )
    elapsed_s = time.perf_counter() - started
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"outcome": outcome, "elapsed_s": elapsed_s, "peak_bytes": peak_bytes, "chunks": files.chunks}
    print(json.dumps({**told, "rows": store.roll.get("rows_read"), "refused": store.roll.get("refused")}))


if __name__ == "__main__":
    main()
