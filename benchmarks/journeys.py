"""The journey through the running local system: how many a second, and how long each endpoint takes."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import statistics
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from avarez.certificates import link
from benchmarks import transparency
from benchmarks.report import Figure, at_least, percentile, spread
from demo.plates import MUNICIPALITY, owing_plates
from demo.seed import demo_accounts
from demo.snapshot import seeded_folder
from infra.local.process import any_free_port
from infra.local.system import LocalSystem

JOURNEYS_FLOOR = 5.0
ASSESSMENT_P95_FLOOR_MS = 150.0
CLERKS = (1, 4, 8)
TIMEOUT_S = 180.0
ASSESSMENT = "POST /v1/assessments"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class JourneyFailed(RuntimeError):
    """An answer that the journey cannot go on from: no figure is made of it."""


class Desk:
    """One clerk with a connection that stays open; `times_ms` holds what each endpoint took."""

    def __init__(self, origin: str, token: str = "") -> None:
        self._origin = origin
        self._token = token
        self._connections: dict[str, http.client.HTTPConnection] = {}
        self.times_ms: dict[str, list[float]] = defaultdict(list)

    def call(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        name: str = "",
        accepted: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of an answer whose status is accepted; timed under `name` when there is one.

        Raises: JourneyFailed for any other status.
        """
        parts = urlsplit(address if "://" in address else self._origin + address)
        connection = self._connections.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
            self._connections[parts.netloc] = connection
        sent = {"content-type": "application/json", **(headers or {})}
        if self._token and parts.netloc == urlsplit(self._origin).netloc:
            sent["authorization"] = f"Bearer {self._token}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        started = time.perf_counter()
        connection.request(method, target, content, sent)
        response = connection.getresponse()
        answer = response.read()
        if name:
            self.times_ms[name].append((time.perf_counter() - started) * 1000)
        if response.status not in accepted:
            raise JourneyFailed(f"{method} {address}: {response.status} {answer[:300]!r}")
        return {key.lower(): value for key, value in response.getheaders()}, answer

    def journey(self, plate: str) -> str:
        """From the plate to the stored certificate; its id."""
        call = self.call
        call("GET", f"/v1/vehicles/{plate}", name="GET /v1/vehicles/{plate}")
        asked = {"municipality": MUNICIPALITY, "plate": plate}
        quote = json.loads(call("POST", "/v1/assessments", asked, name=ASSESSMENT, accepted=(201,))[1])
        payment = json.loads(
            call(
                "POST",
                "/v1/payments",
                {"assessment_id": quote["assessment_id"], "channel": "gateway"},
                name="POST /v1/payments",
                accepted=(201,),
                headers={"idempotency-key": uuid.uuid4().hex},
            )[1]
        )
        pressed, _ = call("POST", payment["redirect_url"], b"result=paid", accepted=(303,), headers=FORM)
        call("GET", pressed["location"], name="GET /v1/callbacks/{gateway}", accepted=(200, 303))
        path = f"/v1/payments/{payment['payment_id']}"
        certificate_id = self._settled(path)
        self._stored(f"/v1/certificates/{certificate_id}/pdf?redirect=false")
        return certificate_id

    def _settled(self, path: str) -> str:
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            state = json.loads(self.call("GET", path, name="GET /v1/payments/{id}")[1])
            if state["status"] == "settled":
                return str(state["certificate_id"])
            time.sleep(0.02)
        raise JourneyFailed(f"{path} was not settled in time")

    def _stored(self, path: str) -> None:
        """Returns when the certificate is in store; an answer that it is not yet (after 8 s) is asked again."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            name = "GET /v1/certificates/{id}/pdf (waits for it)"
            if b'"url"' in self.call("GET", path, name=name, accepted=(200, 409))[1]:
                return
        raise JourneyFailed(f"{path} was not in store in time")

    def look(self, certificate_id: str, quote_path: str, payment_path: str) -> None:
        """What is read around a journey, by its clerk and by everybody."""
        call = self.call
        call("GET", quote_path, name="GET /v1/assessments/{id}")
        call("GET", f"{payment_path}/events", name="GET /v1/payments/{id}/events")
        record = json.loads(call("GET", f"/v1/certificates/{certificate_id}", name="GET /v1/certificates/{id}")[1])
        address = call("GET", f"/v1/certificates/{certificate_id}/pdf", name="GET /v1/certificates/{id}/pdf",
                       accepted=(302,))[0]["location"]  # fmt: skip
        pdf = call("GET", address)[1]
        call("GET", f"/v1/verify/{certificate_id}", name="GET /v1/verify/{id}")
        call("POST", "/v1/verify", {"payload": record["link"]}, name="POST /v1/verify (payload)")
        call("POST", "/v1/verify", pdf, name="POST /v1/verify (PDF)", headers={"content-type": "application/pdf"})
        call("GET", "/.well-known/jwks.json", name="GET /.well-known/jwks.json")
        call("GET", "/v1/municipalities", name="GET /v1/municipalities")
        call("GET", "/healthz", name="GET /healthz")


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
