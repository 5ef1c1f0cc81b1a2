"""SQS: simulates a draft on the committed rolls, as columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from avarez.assessment.tariff.rows import NATIONAL
from avarez.batches import each_message
from avarez.clock import SystemClock, tehran_today, to_rfc3339
from avarez.jalali import to_jalali
from avarez.municipalities import all_municipalities
from avarez.observability import log
from functions.assess.tariffs import wiring
from functions.assess.tariffs.lifecycle import Draft
from functions.assess.tariffs.store import DraftStore, RollFacts

clock = SystemClock()


def run(drafts: DraftStore, facts: RollFacts, message: Mapping[str, Any], now: datetime) -> str:
    """Simulates what the message names; returns what became of it. A repetition does no harm."""
    draft = drafts.get(str(message["authority"]), str(message["tariff_id"]))
    if draft is None or draft["status"] != "simulating" or draft["merged_version"] != message["merged_version"]:
        return "ignored"
    result = simulated(drafts, facts, draft, now)
    drafts.put_simulation(draft, result)
    changes = {
        "status": "simulated",
        "simulation": {"totals": result["totals"], "cities": len(result["cities"]), "one_in": result["one_in"]},
        "events": [*draft["events"], {"at": to_rfc3339(now), "by": "simulator", "did": "simulated"}],
    }
    return "simulated" if drafts.move(draft, changes) else "changed meanwhile"


def simulated(drafts: DraftStore, facts: RollFacts, draft: Draft, now: datetime) -> dict[str, Any]:
    """The simulation of a draft beside the tariff that it was checked against, on today's rolls.

    Vehicles as their rolls tell them, without payments and moves: the same question to both tariffs.
    """
    # NumPy costs more than boto3 to import: paid for when there is something to simulate, not at every start.
    from avarez.fleet.fleet import Fleet
    from avarez.fleet.simulation import Simulation

    base = str(draft["base_version"])
    today = tehran_today(now)
    simulation = Simulation(
        drafts.tariff(base) if base else None, drafts.tariff(draft["merged_version"]), today, to_jalali(today).year
    )
    every = [city.code for city in all_municipalities()]
    cities = every if draft["authority"] == NATIONAL else [draft["authority"]]
    one_in = int(draft.get("one_in") or 1)
    for city, versions in facts.versions(cities).items():
        fleet: Fleet | None = None
        for file in facts.files(city, versions):
            later = Fleet.read(file)
            fleet = later if fleet is None else fleet.after(later)
        if fleet is not None:
            simulation.add_city(city, fleet.in_use().take(slice(None, None, one_in)))
    return {"tariff_id": draft["tariff_id"], "one_in": one_in, **simulation.to_json()}


def take(text: str) -> None:
    """Simulates the draft that the message names."""
    message = json.loads(text)
    outcome = run(wiring.drafts(), wiring.roll_facts(), message, clock.now())
    log("tariff_simulated", tariff_id=message["tariff_id"], outcome=outcome)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the drafts that failed are delivered again."""
    return each_message(event, take, failed="tariff_simulation_failed")
