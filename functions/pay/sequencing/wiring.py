"""Puts the sequencer together with what it works on. Tests replace `parts`."""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass

from avarez.clock import Clock, SystemClock
from avarez.dynamo import Table
from avarez.ids import new_id
from avarez.observability import log, metric
from avarez.settings import setting
from functions.pay.sequencing.queue_store import Overlooked, WakeUps
from functions.pay.sequencing.service import ChainStore, Sequenced, sequence
from functions.pay.sequencing.store import ChainTable


@dataclass(frozen=True, slots=True)
class Parts:
    """What the entry points of the sequencer work with."""

    chain: ChainStore
    overlooked: Overlooked
    wake_ups: WakeUps
    deliveries: WakeUps
    clock: Clock


@functools.cache
def parts() -> Parts:
    """The process's parts, wired on first use."""
    ledger = Table(setting("LEDGER_TABLE"))
    wake_ups = WakeUps(os.environ.get("SEQUENCE_QUEUE_URL", ""))
    deliveries = WakeUps(os.environ.get("DELIVER_QUEUE_URL", ""))
    return Parts(ChainTable(ledger), Overlooked(ledger), wake_ups, deliveries, SystemClock())


def run(of: Parts, municipality: str, *, until_s: float) -> Sequenced:
    """One run of the city's sequencer, with its log line and metrics; `until_s` is of the monotonic clock.

    What was placed is delivered at once; if this wake-up is lost, the sweep of deliveries finds it.
    """
    started = time.monotonic()
    done = sequence(
        of.chain,
        municipality,
        holder=new_id("sq", of.clock.now()),
        clock=of.clock,
        time_left=lambda: time.monotonic() < until_s,
    )
    if done.events:
        of.deliveries.send([municipality], of.clock.now())
    if done.aside:
        metric("chain_refused", len(done.aside))
        log("chain_refused", level="error", municipality=municipality, event_ids=list(done.aside[:20]))
    log(
        "sequenced",
        municipality=municipality,
        events=done.events,
        held=done.held,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
    )
    return done
