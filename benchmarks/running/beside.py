"""What bad endpoints do to the rest: the delay of healthy ones beside some that are slow, down, or talk too much.

In turns in one run, so that the machine's mood is the same: the same payments come with three bad cities, and with
three well ones in their place. While the well ones have their turn the bad ones are stopped, as their officer may.

`python -m benchmarks.running.beside` measures this alone.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from avarez.municipalities import all_municipalities
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.taking import Answer
from benchmarks.report import Figure, at_most, plain, table
from benchmarks.running.deliveries import FIRST_CITY, GROUP, Arrivals, Country, country, register
from benchmarks.running.desk import Desk, JourneyFailed
from benchmarks.running.journeys import running_system
from infra.local.system import LocalSystem

HEALTHY = 10
SLOW_S = 29.0
"""What the slow endpoint takes for each answer; the sender gives up after 30 seconds."""
ANSWER_BYTES = 10_000_000
RATIO_MAX = 1.1
"""Source: reliability targets, webhooks: the healthy endpoints' p95 changes by less than a tenth."""
BUSY_WITHIN_S = 60.0
TOLD_MAX = 5


@dataclass
class Slow(Arrivals):
    """Takes its time over each event."""

    under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = super().answer(headers, body)
        if not self.came:
            return answer  # to the challenge
        with self._lock:
            self.under_way += 1
        time.sleep(SLOW_S)
        with self._lock:
            self.under_way -= 1
        return answer


@dataclass
class Talkative(Arrivals):
    """Says yes in ten megabytes."""

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = super().answer(headers, body)
        return Answer(200, answer.body.ljust(ANSWER_BYTES)) if self.came else answer


class Unheard(Listening):
    """Who hangs up on an answer that is too long is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@dataclass
class Bad:
    """A slow endpoint, a talkative one and one that is down, each of its own city; `well` are as many others."""

    slow: Slow
    talkative: Talkative
    desks: Mapping[str, Desk]
    well: Sequence[str]

    @property
    def codes(self) -> Sequence[str]:
        return tuple(self.desks)

    def begin(self, towns: Country) -> None:
        """They are called again; the slow one is at it when this returns."""
        for code, desk in self.desks.items():
            towns.settle(code)
            told(desk, code, "resumptions")
        self._until(lambda: self.slow.under_way > 0)

    def end(self) -> None:
        """Nobody calls them any more, nor is at it still."""
        for code, desk in self.desks.items():
            told(desk, code, "stops")
        self._until(lambda: self.slow.under_way == 0)
        time.sleep(1.0)  # the worker's last write

    @staticmethod
    def _until(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + BUSY_WITHIN_S
        while not true():
            if time.monotonic() > deadline:
                raise RuntimeError("the slow endpoint was not called, or not left alone, in time")
            time.sleep(0.05)


def told(desk: Desk, code: str, what: str) -> None:
    """The officer's word: said again where a delivery moved the cursor in the same moment, or the line was cut."""
    for left in reversed(range(TOLD_MAX)):
        try:
            desk.call("POST", f"/v1/municipalities/{code}/webhook/{what}")
            return
        except (JourneyFailed, OSError, http.client.HTTPException):
            if not left:
                raise


@contextmanager
def bad_endpoints(local: LocalSystem) -> Iterator[Bad]:
    """Three bad endpoints, stopped, and three well ones that nobody measures."""
    codes = [city.code for city in all_municipalities()][FIRST_CITY + HEALTHY :][:6]
    slow, talkative = Slow(), Talkative()
    receivers = [slow, talkative, *(Arrivals() for _ in codes[2:])]
    by_path = {f"/{code}": receiver for code, receiver in zip(codes, receivers, strict=True)}
    with (
        Unheard(0, lambda path: by_path.get(path)) as listening,
        Unheard(0, lambda path: by_path.get(path)) as down,
    ):
        for server in (listening, down):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        ports = [listening.port, listening.port, down.port, *[listening.port] * 3]
        desks = [register(local, code, port) for code, port in zip(codes, ports, strict=True)]
        down.shutdown()
        down.server_close()
        bad = Bad(slow, talkative, dict(zip(codes[:3], desks, strict=False)), codes[3:])
        for code, desk in bad.desks.items():
            told(desk, code, "stops")
        yield bad
        listening.shutdown()


def figures(*, rounds: int, payments: int) -> list[Figure]:
    """The p95 of the healthy ones beside three bad ones, against the same beside three well ones."""
    alone, beside = list[float](), list[float]()
    with running_system() as local, country(local, HEALTHY) as towns, bad_endpoints(local) as bad:
        towns.paced_s(len(towns.codes), also=bad.well)  # everybody once, unmeasured
        for _ in range(rounds):
            alone.append(towns.paced_s(payments, also=bad.well)[1])
            bad.begin(towns)
            beside.append(towns.paced_s(payments, also=bad.codes)[1])
            bad.end()
        if len(bad.slow.came) < rounds or not bad.talkative.came:
            raise RuntimeError("the bad endpoints were not called")
    ratios = [with_bad / without for with_bad, without in zip(beside, alone, strict=True)]
    name = f"{HEALTHY} endpoints beside one of {SLOW_S:g} s, one of 10 MB and one that is down"
    return [
        plain(GROUP, f"{name}, p95", beside, "s", 2),
        plain(GROUP, f"{HEALTHY} endpoints beside three others that are well, p95", alone, "s", 2),
        at_most(GROUP, "the one against the other", ratios, "times", RATIO_MAX),
    ]


def main() -> int:
    """Prints the table; 1 where the healthy ones suffer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--payments", type=int, default=60, help="of a turn, half a second apart")
    options = parser.parse_args()
    made = figures(rounds=options.rounds, payments=options.payments)
    print(table(made))
    return 1 if any(figure.met is False for figure in made) else 0


if __name__ == "__main__":
    sys.exit(main())
