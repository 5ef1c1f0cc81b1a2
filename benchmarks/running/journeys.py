"""The journey through the running local system: how many a second, and how long each endpoint takes."""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from avarez.certificates import link
from benchmarks.certificates import transparency
from benchmarks.report import Figure, at_least, percentile, spread
from benchmarks.running.desk import ASSESSMENT, Desk
from demo.plates import owing_plates
from demo.seed import demo_accounts
from demo.snapshot import seeded_folder
from infra.local.process import any_free_port
from infra.local.system import LocalSystem

JOURNEYS_FLOOR = 5.0
ASSESSMENT_P95_FLOOR_MS = 150.0
CLERKS = (1, 4, 8)


@contextmanager
def running_system(recorded_calls: Path | None = None) -> Iterator[LocalSystem]:
    """The whole local system over data of its own, on free ports; nothing of it is left afterwards.

    Into `recorded_calls` its engine writes every call of the functions.
    """
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        data_dir = Path(folder) / "data"
        shutil.copytree(seeded_folder(), data_dir)
        local = LocalSystem(data_dir, port=any_free_port(set()), recorded_calls=recorded_calls)
        try:
            local.start()
            yield local
            local.stop()
        finally:
            local.kill()


def figures(*, rounds: int, journeys: int, samples: int) -> list[Figure]:
    """Journeys a second with 1, 4 and 8 clerks, then the endpoints, one caller at a time."""
    plates = iter(owing_plates())
    with running_system() as local:
        account = demo_accounts()[0]
        tokens = Desk(local.origin)
        credentials = {"username": account["username"], "password": account["password"]}
        token = ""
        for _ in range(min(samples, 30)):
            answer = tokens.call("POST", "/v1/tokens", credentials, name="POST /v1/tokens")[1]
            token = json.loads(answer)["access_token"]
        warm = [Desk(local.origin, token) for _ in range(max(CLERKS))]
        together(warm, [next(plates) for _ in range(2 * len(warm))])
        rows = []
        for clerks in CLERKS:
            rates = []
            for _ in range(rounds):
                desks = [Desk(local.origin, token) for _ in range(clerks)]
                batch = list(itertools.islice(plates, journeys))
                started = time.perf_counter()
                together(desks, batch)
                rates.append(len(batch) / (time.perf_counter() - started))
            rows.append((clerks, rates))
        desk = _endpoints(local.origin, token, itertools.islice(plates, samples))
        included = _inclusion(Desk(local.origin, token), plates, samples // 6)
    best = max(rows, key=lambda row: statistics.median(row[1]))
    shown = [_rate(clerks, rates, floor=clerks == best[0]) for clerks, rates in rows]
    times = {**desk.times_ms, **tokens.times_ms}
    return shown + [_latency(name, values) for name, values in sorted(times.items())] + included


def together(desks: list[Desk], plates: list[str]) -> None:
    """Every plate's journey, each desk taking the next one when it is free."""
    left = iter(plates)

    def work(desk: Desk) -> None:
        for plate in left:
            desk.journey(plate)

    with ThreadPoolExecutor(len(desks)) as pool:
        for done in [pool.submit(work, desk) for desk in desks]:
            done.result()


def _endpoints(origin: str, token: str, plates: Iterator[str]) -> Desk:
    desk = Desk(origin, token)
    for plate in plates:
        certificate_id = desk.journey(plate)
        record = json.loads(desk.call("GET", f"/v1/certificates/{certificate_id}")[1])
        payment_path = f"/v1/payments/{record['payment_id']}"
        payment = json.loads(desk.call("GET", payment_path)[1])
        desk.look(certificate_id, f"/v1/assessments/{payment['assessment_id']}", payment_path)
    return desk


def _inclusion(desk: Desk, plates: Iterator[str], samples: int) -> list[Figure]:
    """How long a certificate waits for its place in the public log, one at a time."""

    def issue() -> tuple[str, bytes]:
        certificate_id = desk.journey(next(plates))
        record = json.loads(desk.call("GET", f"/v1/certificates/{certificate_id}")[1])
        return certificate_id, link.read(record["link"]).message

    return transparency.inclusion(desk, issue, max(samples, 1))


def _rate(clerks: int, rates: list[float], *, floor: bool) -> Figure:
    name = f"{clerks} clerk{'s' if clerks > 1 else ''} at once"
    if floor:
        return at_least("journeys a second", name, rates, "a second", JOURNEYS_FLOOR)
    return Figure("journeys a second", name, f"{statistics.median(rates):,.1f} a second", spread(rates))


def _latency(name: str, values: list[float]) -> Figure:
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    floor = f"p95 ≤ {ASSESSMENT_P95_FLOOR_MS:g} ms" if name == ASSESSMENT else ""
    return Figure(
        "endpoints, p50 / p95",
        f"{name} ({len(values)})",
        f"{p50:,.1f} / {p95:,.1f} ms",
        spread(values),
        floor,
        p95 <= ASSESSMENT_P95_FLOOR_MS if floor else None,
    )
