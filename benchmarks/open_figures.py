"""The build of the public figures over a city's chain: seconds, memory, and the files of it.

`python -m benchmarks.open_figures COUNT` measures a chain of so many payments alone, and writes what it measured
into `benchmarks/results/open_figures.json`. The chain is written to a file first, by the rules that write the
ledger's, which is not in the measurement (a million payments: 2 GB); the builder reads it in a process of its own,
a page at a time, parsed and every hash proved, as it reads the table.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.events.chain import GENESIS, Event, EventType, Head, Waiting, chained
from avarez.figures.files import Commitment, file_name
from avarez.figures.steps import Memory
from avarez.journal import YearAmount
from benchmarks.report import Figure, machine, plain
from functions.pay.rules.announcing import of_entry
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.report.ports import Standing
from functions.report.publishing import publish

GROUP: Final = "public figures"
CITY: Final = "TEHRAN"
BEGIN: Final = datetime(2023, 3, 25, 8, 30, tzinfo=UTC)
YEARS: Final = timedelta(days=3 * 365)
SECONDS: Final = YEARS // timedelta(seconds=1)
CLASSES: Final = ("passenger",) * 12 + ("motorcycle",) * 4 + ("truck", "bus")
CHANNELS: Final = ("gateway",) * 6 + ("pos",) * 3 + ("bill",)


def figures(root: Path, *, rounds: int, count: int) -> list[Figure]:
    """What one build over `count` payments of a city costs, in a process of its own each time."""
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        path = Path(folder) / "chain.ndjson"
        write(path, count)
        told = [_built(root, path) for _ in range(rounds)]
    payments = f"{count:,} payments"
    return [
        plain(GROUP, f"a build over {payments} of a city", [of["elapsed_s"] for of in told], "s"),
        plain(GROUP, "its peak memory", [of["peak_bytes"] / 2**20 for of in told], "MB", 0),
        plain(GROUP, "its files, all formats", [of["bytes"] / 1e3 for of in told], "kB", 0),
    ]


def write(path: Path, count: int) -> None:
    """A chain of `count` payments over three years, each with its certificate."""
    random = Random("open figures")  # noqa: S311 - repeatable on purpose
    sequence, previous_hash = 0, GENESIS
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            for waiting in _payment(random, number, BEGIN + timedelta(seconds=SECONDS * number // count)):
                event = chained(waiting, sequence=sequence + 1, previous_hash=previous_hash)
                sequence, previous_hash = event.sequence, event.hash
                file.write(json.dumps(event.data, ensure_ascii=False, separators=(",", ":")) + "\n")


def _payment(random: Random, number: int, at: datetime) -> Iterator[Waiting]:
    years = tuple(YearAmount(year, random.randrange(1, 9_000) * 1_000) for year in range(1402, 1403 + number % 3))
    payment = Payment(
        payment_id=f"py_{number:036d}",
        assessment_id=f"as_{number:036d}",
        municipality=CITY,
        plate=f"{number:07d}",
        vehicle_id=f"ve_{number % 400_000:036d}",
        years=years,
        rounding_rial=0,
        fee_rial=0,
        amount_rial=sum(part.amount_rial for part in years),
        status=Status.SETTLED,
        channel=random.choice(CHANNELS),
        gateway="sandbox",
        created_by="clerk",
        created_at=at,
        expires_at=at,
        verify_until_at=at,
        trace_hash="ab" * 32,
        tariff_version="cd" * 32,
        settled_at=at,
        reference=f"r{number}",
        certificate_id=f"ce_{number:036d}",
        vehicle_class=random.choice(CLASSES),
    )
    yield of_entry(settled_entry(payment, journal_id=f"je_{number:036d}", now=at), payment)
    certificate = {"certificate_id": payment.certificate_id, "kind": "payment", "plate": payment.plate}
    yield Waiting(
        event_id=f"ev_c{number:035d}",
        type=EventType.CERTIFICATE_ISSUED,
        municipality=CITY,
        about=payment.payment_id,
        occurred_at=at + timedelta(seconds=random.choice((6, 6, 6, 40, 200))),
        content={"certificate": {**certificate, "paid_at": to_rfc3339(at)}},
    )


class Desk:
    """The chain in a file, read forward; files and publication in memory."""

    def __init__(self, path: Path) -> None:
        self._lines = path.open(encoding="utf-8")
        self._count = sum(1 for _ in path.open(encoding="utf-8"))
        self.bytes = self.remembered = 0
        self.stands: Standing | None = None

    def head(self, municipality: str) -> Head:
        return Head(municipality, self._count, "")

    def read(self, what: str, *, after: int = 0, limit: int = 0) -> Any:
        if not limit:
            raise KeyError(what)
        return self._page(limit)

    def _page(self, limit: int) -> Sequence[Event]:
        found = [json.loads(line) for line in islice(self._lines, limit)]
        return [Event(int(data["sequence"]), data) for data in found]

    def keep(self, content: bytes, form: str) -> str:
        self.bytes += len(content)
        return file_name(content, form)

    def charges(self, municipality: str) -> None:
        return None

    def memory(self, municipality: str, at: Commitment) -> Memory:
        return Memory()

    def keep_memory(self, municipality: str, at: Commitment, memory: Memory) -> None:
        self.remembered = len(memory.returned)

    def standing(self) -> Standing | None:
        return self.stands

    def replace(self, before: Standing | None, after: Standing) -> bool:
        self.stands = after
        return True


def build(path: Path) -> dict[str, Any]:
    """One publication over the file's chain."""
    desk = Desk(path)
    started, processor = time.perf_counter(), time.process_time()
    done = publish(
        chains=desk,
        files=desk,
        publications=desk,
        owing=desk,
        cities=[CITY],
        now=BEGIN + YEARS,
        time_left=lambda: True,
    )
    elapsed_s, processor_s = time.perf_counter() - started, time.process_time() - processor
    if done.advanced != [CITY] or done.events != desk.head(CITY).sequence - Commitment().sequence:
        raise AssertionError(f"the chain was not taken whole: {done}")
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "elapsed_s": elapsed_s,
        "processor_s": processor_s,
        "peak_bytes": peak_bytes,
        "bytes": desk.bytes,
        "events": done.events,
    }


def _built(root: Path, path: Path) -> dict[str, Any]:
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.open_figures", str(path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'layers' / 'common'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(told.stdout.strip().splitlines()[-1]))


def saved(root: Path, count: int) -> str:
    """One build over `count` payments, into the results' folder. `load` is the machine's before and after it:
    above the number of its cores it had other work."""
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        path = Path(folder) / "chain.ndjson"
        started = time.perf_counter()
        write(path, count)
        wrote_s = round(time.perf_counter() - started, 1)
        load = [round(os.getloadavg()[0], 1)]
        told = _built(root, path)
        load.append(round(os.getloadavg()[0], 1))
        chain_bytes = path.stat().st_size
    document = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": load,
        "payments": count,
        "events": told["events"],
        "chain_bytes": chain_bytes,
        "chain_written_s": wrote_s,
        "build_s": round(told["elapsed_s"], 1),
        "build_processor_s": round(told["processor_s"], 1),
        "peak_bytes": told["peak_bytes"],
        "files_bytes": told["bytes"],
    }
    text = json.dumps(document, indent=1)
    (root / "benchmarks" / "results" / "open_figures.json").write_text(text + "\n", encoding="utf-8")
    return text


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        sys.stdout.write(saved(Path(__file__).resolve().parents[1], int(sys.argv[1])) + "\n")
    else:
        sys.stdout.write(json.dumps(build(Path(sys.argv[1]))) + "\n")
