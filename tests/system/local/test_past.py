"""The past that `make run` loads: whole by every check that there is, and the system goes on behind it."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from avarez.clock import tehran_today
from avarez.dynamo import Table
from avarez.events.chain import GENESIS, Event, faults
from avarez.events.log import EventLog
from avarez.jalali import format_jalali, to_jalali
from avarez.plates import parse_plate
from avarez.roll.rows import RollReader, RollRow
from avarez_cli.main import main
from demo.past.cars import CARS, Car, plate_of
from demo.past.loading import WHOLE, Extent, PastMaker, load
from demo.seed import demo_rolls, seed
from infra.local.process import any_free_port
from infra.local.system import LocalSystem
from tests.independent_statement import statement
from tests.system.conftest import System

PROVE: Final = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.system, pytest.mark.timeout(1_800 if PROVE else 300)]
EXTENT: Final = WHOLE if PROVE else Extent(3, ("TABRIZ",))
CITIES: Final = EXTENT.cities or tuple(CARS)
PAYMENTS_MIN: Final = 50_000 if PROVE else 150
LATER_START_S: Final = 20.0


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, begun as `make run` begins, with the past and without cars."""
    data_dir = tmp_path_factory.mktemp("past") / "data"
    local = LocalSystem(data_dir, port=any_free_port(set()))
    maker = PastMaker(data_dir, EXTENT)
    maker.start()

    def begun(running: LocalSystem) -> None:
        assert load(running, maker, lambda _: None) > 0
        assert load(running, maker, lambda _: None) == 0, "the mark says that it is there"
        seed(running, rolls=[], say=lambda _: None)

    try:
        local.start(seed=begun)
        yield System(local)
    finally:
        maker.stop()
        local.kill()


def log_of(system: System) -> EventLog:
    """The chains, with an administrator's rights."""
    return EventLog(Table(system.outputs["LedgerTableName"], system.aws("dynamodb")))


def chain_of(system: System, city: str) -> list[Event]:
    """The whole chain, read and proved."""
    log = log_of(system)
    found: list[Event] = []
    while page := log.read(city, after=len(found)):
        found += page
    assert next(faults(city, found, after_sequence=0, after_hash=GENESIS), None) is None
    head = log.head(city)
    assert (found[-1].sequence, found[-1].hash) == (head.sequence, head.hash)
    return found


def test_no_car_of_the_past_is_in_a_roll() -> None:
    plates = {plate_of(city, Car(number, "", 0, [])) for city in CARS for number in range(CARS[city])}
    assert len(plates) == sum(CARS.values())
    assert all(parse_plate(plate).key == plate for plate in plates)
    for city, path in demo_rolls():
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row.plate for row in RollReader(city).read(stream) if isinstance(row, RollRow)]
        assert rows
        assert not plates & set(rows)


def test_past_is_whole_and_the_system_goes_on_behind_it(
    past: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    yesterday = tehran_today(datetime.now(UTC)) - timedelta(days=1)
    chains = {city: chain_of(past, city) for city in CITIES}
    paid = [event for chain in chains.values() for event in chain if event.data["type"] == "payment.settled"]
    assert len(paid) >= PAYMENTS_MIN
    years = Counter(to_jalali(date.fromisoformat(event.data["entry"]["day"])).year for event in paid)
    assert set(years) == {to_jalali(yesterday).year - back for back in range(4)}
    channels = {event.data["payment"]["channel"] for event in paid}
    assert channels == {"gateway", "pos", "bill"}
    closed = past.local.run_function("pay-settle")
    assert (closed["closed"], closed["failed"]) == (len(CITIES), 0), "yesterday, by the real close"
    assert closed["exchange"]["broken"] == 0
    assert closed["exchange"]["records"] == 0, "what was carried over is not reported again"
    hourly = past.local.run_function("pay-invariants")
    assert (hourly["broken"], hourly["left"]) == (0, 0)
    _invariants_of_days(past, yesterday)
    _closes(past, yesterday, chains)
    _figures(past, chains, capsys, monkeypatch)


def _invariants_of_days(system: System, yesterday: date) -> None:
    """Days of every year, in the weeks when most pay: nothing is broken, and there were entries."""
    auditor, entries = system.client("auditor"), 0
    year = to_jalali(yesterday).year
    months = ("01-02", "07-15", "12-20", "12-28") if PROVE else ("12-20",)
    days = [f"{year - back}-{day}" for back in (3, 2, 1) for day in months]
    for city in CITIES:
        for day in (*days, format_jalali(yesterday)):
            told = auditor.get(f"/v1/municipalities/{city}/invariants?day_jalali={day}").json
            assert told["broken"] == [], (city, day, told["broken"][:3])
            entries += told["entries"]
    assert entries > 0
    path = f"/v1/municipalities/{CITIES[0]}/trial-balance?from_jalali={year - 1}-12-01&to_jalali={year - 1}-12-29"
    books = auditor.get(path).json
    assert books["debit_rial"] == books["credit_rial"] != "0"


def _closes(system: System, yesterday: date, chains: dict[str, list[Event]]) -> None:
    """Each city's newest close is of yesterday, and its statement is what the events alone come to."""
    auditor = system.client("auditor")
    for city in CITIES:
        path = f"/v1/municipalities/{city}/settlements"
        closes = auditor.get(f"{path}?limit=100").json["settlements"]
        assert closes[0]["day"] == yesterday.isoformat()
        assert {close["status"] for close in closes[10:]} <= {"matched", "nothing_due"}
        close = next(of for of in closes[2:] if of["lines"])
        lines = auditor.get(f"{path}/{close['settlement_id']}/statement.json").json["statement"]
        events = [event.data for event in chains[city]]
        alone = statement(events, city, close["from_sequence"], close["to_sequence"])
        assert [int(line["balance_rial"]) for line in lines] == [balance for _, _, balance in alone["lines"]]
        assert alone["closing_rial"] == int(close["closing_rial"])


def _figures(
    system: System,
    chains: dict[str, list[Event]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is published equals the events to the rial, and the events the accounts."""
    assert system.local.run_function("report-build")["broken"] == 0
    index = {of["municipality"]: of for of in system.client(None).get("/v1/open").json["cities"]}
    for city, chain in chains.items():
        own = {f"municipality_payable:{city}", f"municipality_rounding:{city}"}
        told = index[city]["commitment"]["sequence"]  # behind it are days of too few cars to be told
        assert told > len(chain) * 0.9
        left_rial = sum(
            int(posting["credit_rial"]) - int(posting["debit_rial"])
            for event in chain[:told]
            for posting in event.data.get("entry", {}).get("postings", ())
            if posting["account"] in own and event.data["entry"]["kind"] != "settlement_transfer"
        )
        assert int(index[city]["totals"]["collected_rial"]) == left_rial > 0
        forecast = system.client(None).get(f"/v1/open/planning/{city}").json["forecast"]
        assert forecast is not None
    monkeypatch.setenv(
        "AVAREZ_PASSWORD", next(of for of in system.accounts if of["username"] == "auditor")["password"]
    )
    given = ["figures", "verify", "--origin", system.origin, "--municipality", CITIES[-1], "--username", "auditor"]
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cities"][0]["good"]


def test_later_start_is_quick_and_finds_everything(past: System) -> None:
    before = {city: log_of(past).head(city) for city in CITIES}
    past.local.stop()
    started = time.monotonic()
    past.local.start()
    assert time.monotonic() - started < LATER_START_S
    for city, head in before.items():
        assert log_of(past).hash_at(city, head.sequence) == head.hash
        assert len(log_of(past).read(city, after=0, limit=100)) == 100
    assert past.local.run_function("pay-invariants")["broken"] == 0
