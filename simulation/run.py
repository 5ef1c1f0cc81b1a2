"""A run of the simulator: worlds of ten thousand visits each, one after the other or on every core, one report.

The worlds are independent and each has its own seed, so the report is the same on any number of cores.
"""

from __future__ import annotations

import gc
import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any

from avarez import ids
from functions.pay.rules.states import Status
from simulation import invariants
from simulation.by_parts import AGREED_BEFORE
from simulation.faults import table, unreached
from simulation.people import People
from simulation.world import BEGIN, CITIES, World

VISITS_PER_WORLD = 10_000
SECONDS_BETWEEN = 0.2
HEAL_MINUTES = 100
"""Longer than any window: a page, a verification, a refund's reversal."""
CLOSING_TRIES_MAX = 50
CITY_EVERY_S = 15
"""How often something may happen in one of the cities."""
AGREED_SHARE = 0.01
LEAST_AGREEMENTS = 3
"""Those who agreed days before the run, as a share of its visits."""
CLOSING_EVERY_MINUTES = 10
EARLY_UPTO = 0.3
"""In which part of the storm treasurers close the day that is not over."""
SHOWN_MAX = 20
FULL_SIZE = 50_000
"""A run of so many payments must have reached every type of fault at every site."""
LEAST_FAULTS_PER_PAYMENT = 0.5
LEAST_SETTLED = 0.6
"""Of the visits: a system that never settles anything breaks no other rule."""


@dataclass
class Part:
    """What one world comes to."""

    payments: int
    fired: Counter[tuple[str, str]]
    broken: dict[str, list[str]]
    unrest: list[str]
    lost_rial: int
    ended: Counter[str]
    state_hash: str
    reports: Counter[str] = field(default_factory=Counter)


def run_world(seed: int, number: int, visits: int, rate: float) -> Part:
    """One world, from its first visit until everything has come to its end."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()  # a world lets go of little before its end, and has millions of objects to look through
    try:
        return _run_world(seed, number, visits, rate)
    finally:
        gc.enable()


def _run_world(seed: int, number: int, visits: int, rate: float) -> Part:
    name = f"{seed}/{number}"
    source = Random(f"ids {name}")  # noqa: S311 - a run must repeat
    with ids.drawn_from(source.getrandbits):
        world = World(name, rate, CITIES[number % len(CITIES)])
        people = People(world)
        agreed = _before(world, people, visits)
        world.plan((place * SECONDS_BETWEEN for place in range(visits - agreed)), people.visit)
        minutes = int(visits * SECONDS_BETWEEN // 60) + 1
        for minute in range(1, minutes + 40):
            world.at(minute * 60, world.sweep)
        for place in range(minutes // 2):
            world.at(place * 120, world.maybe_outage)
        for hour in range(1, minutes // 30 + 2):
            world.at(hour * 1_800, people.bank_tells)
        for place in range(minutes * 60 // CITY_EVERY_S):
            world.at(place * CITY_EVERY_S, world.cities.maybe_happens)
        for place in range(minutes // CLOSING_EVERY_MINUTES + 3):
            world.at(place * CLOSING_EVERY_MINUTES * 60 + 20, world.closes.run)
            world.at(place * CLOSING_EVERY_MINUTES * 60 + 200, world.closes.send_file)
            world.at(place * CLOSING_EVERY_MINUTES * 60 + 400, world.closes.statement)
        for city in CITIES:
            world.at(minutes * 60 * EARLY_UPTO * world.random.random(), partial(world.closes.early, city))
        world.run()
        _heal(world, people)
        broken = invariants.check(world, people)
        part = Part(
            payments=len(world.store.payments),
            fired=world.faults.fired,
            broken=broken,
            unrest=invariants.unrest(world),
            lost_rial=invariants.lost_rial(world, people) if broken["I2"] else 0,
            ended=Counter(payment.status.value for payment in world.store.payments.values()),
            state_hash=_state_hash(world),
            reports=world.reports,
        )
        # What refers to itself no more is let go without the collector going through all of it.
        for of in (*world.gateways, world.store, world.cities, world.closes, world, people):
            of.__dict__.clear()
        return part


def _before(world: World, people: People, visits: int) -> int:
    """Days before: the cities register their endpoints, and some agree to pay in parts; how many they are."""
    agreed = min(visits, max(LEAST_AGREEMENTS, int(visits * AGREED_SHARE)))
    world.clock.instant = BEGIN - AGREED_BEFORE
    for city in CITIES:
        world.cities.enrol(city)
    for number in range(agreed):
        world.at(60 + number, partial(people.by_parts.agreed_before, number, CITIES[number % len(CITIES)]))
    for minute in range(1, 40):
        world.at(minute * 60, world.sweep)
    world.run(BEGIN)
    return agreed


def _heal(world: World, people: People) -> None:
    """The terminals close in the storm; then it is over, and everything must come to its end by itself."""
    for attempt in range(CLOSING_TRIES_MAX):
        if attempt == CLOSING_TRIES_MAX - 1:
            world.faults.stop()
        if people.close_terminals():
            break
    world.faults.stop()
    for gateway in world.gateways:
        gateway.down_from = gateway.down_until = world.clock.now()
    for _ in range(HEAL_MINUTES):
        world.clock.advance(timedelta(minutes=1))
        world.run(world.clock.now())
        world.sweep()
    people.bank_tells()
    for _ in range(4):  # bills pass their dates, banks have told everything, one part after the other is late
        world.clock.advance(timedelta(days=30))
        people.bank_tells()
        world.closes.after(world.turn)
        world.clock.advance(timedelta(minutes=3))
        world.run(world.clock.now())
        for _ in range(20):
            world.sweep()
    for gateway in world.gateways:
        gateway.let_time_pass()


def _state_hash(world: World) -> str:
    digest = sha256()
    for payment_id, payment in sorted(world.store.payments.items()):
        digest.update(f"{payment_id} {payment.status} {payment.amount_rial} {payment.version}\n".encode())
    for entry in world.store.journal:
        digest.update(entry.content_hash.encode())
    for city, head in sorted(world.store.heads.items()):
        digest.update(f"{city} {head.sequence} {head.hash}\n".encode())
    for city, receiver in sorted(world.cities.receivers.items()):
        digest.update(f"{city} {len(receiver.taken)} {world.store.endpoints[city].version}\n".encode())
    for city in CITIES:
        for close in world.closes.closes(city):
            digest.update(f"{close.settlement_id} {close.closing_rial} {close.manifest_hash}\n".encode())
    for agreement_id, agreement in sorted(world.store.agreements.items()):
        digest.update(f"{agreement_id} {agreement.status} {agreement.paid_parts}\n".encode())
    for duty, holder in sorted(world.store.duties.items()):
        digest.update(f"{duty} {holder['status']} {holder['payment_id']}\n".encode())
    return digest.hexdigest()


def simulate(payments: int, seed: int, rate: float, *, processes: int | None = None) -> dict[str, Any]:
    """The report of a run; only `elapsed_s` may vary between two runs of the same seed."""
    started = time.perf_counter()
    sizes = [min(VISITS_PER_WORLD, payments - begin) for begin in range(0, payments, VISITS_PER_WORLD)]
    jobs = [(seed, number, visits, rate) for number, visits in enumerate(sizes)]
    workers = min(processes or os.cpu_count() or 1, len(jobs))
    if workers == 1:
        parts = [run_world(*job) for job in jobs]
    else:
        # No world's collection has to go through the program itself.
        with ProcessPoolExecutor(workers, initializer=gc.freeze) as pool:
            parts = list(pool.map(run_world, *zip(*jobs, strict=True)))
    return report(parts, payments=payments, seed=seed, rate=rate, elapsed_s=time.perf_counter() - started)


def report(parts: list[Part], *, payments: int, seed: int, rate: float, elapsed_s: float) -> dict[str, Any]:
    """All worlds together, in the documented form."""
    fired: Counter[tuple[str, str]] = Counter()
    ended: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for part in parts:
        fired.update(part.fired)
        ended.update(part.ended)
        for name, broken in {**part.broken, "converges": part.unrest}.items():
            counted[name] += len(broken)
            examples[name] = (examples.get(name, []) + broken)[:SHOWN_MAX]
    names = [f"I{number}" for number in range(1, 13)]
    return {
        "seed": seed,
        "payments": payments,
        "faults_fired": fired.total(),
        "faults": table(fired),
        "unreached": unreached(fired),
        "invariants": {name: counted[name] for name in names},
        "unfinished": counted["converges"],
        "examples": {name: found for name, found in sorted(examples.items()) if found},
        "lost_rial": sum(part.lost_rial for part in parts),
        "settled": ended[Status.SETTLED.value],
        "suspense": ended[Status.SUSPENSE.value],
        "refunded": ended[Status.REFUNDED.value] + ended[Status.REFUNDING.value],
        "ended": dict(sorted(ended.items())),
        "state_hash": sha256("".join(part.state_hash for part in parts).encode()).hexdigest(),
        "elapsed_s": round(elapsed_s, 1),
    }


def verdict(told: Mapping[str, Any], rate: float) -> list[str]:
    """Why a run does not pass; empty when it does."""
    wrong = [f"{name} is broken {count} times" for name, count in told["invariants"].items() if count]
    if told["unfinished"]:
        wrong.append(f"{told['unfinished']} things have not come to their end")
    if told["settled"] < LEAST_SETTLED * told["payments"]:
        wrong.append(f"only {told['settled']} of {told['payments']} were settled")
    if told["lost_rial"]:
        wrong.append(f"{told['lost_rial']} rial are lost")
    if rate > 0 and told["payments"] >= FULL_SIZE:
        wrong += [f"unreached: {pair}" for pair in told["unreached"]]
        if told["faults_fired"] < LEAST_FAULTS_PER_PAYMENT * told["payments"] * min(rate / 0.1, 1):
            wrong.append(f"only {told['faults_fired']} faults were fired")
    return wrong
