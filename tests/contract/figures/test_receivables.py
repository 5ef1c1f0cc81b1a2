"""Receivables over DynamoDB and S3 (moto): the night's table against the quotes of every car, to the rial."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez import dynamo, keys
from avarez.clock import to_rfc3339
from avarez.csv_lines import csv_line
from avarez.dynamo import Table, transact
from avarez.events.log import event_item, head_item
from avarez.journal import YearAmount
from avarez.plates import parse_plate
from avarez.quotes.store import DutyStore, put_municipality_settings
from avarez.receivables.table import TableUnsound
from avarez.receivables.table_store import PREFIX, ReceivablesShelf
from functions.assess.receivables import build
from functions.assess.roll import handler as rolls
from tests.contract.assess_system import NOW, System
from tests.contract.vehicles.test_rolls_and_quotes import good_rows
from tests.contract.vehicles.test_rolls_and_quotes import plates as written_plates
from tests.unit.figures.figures_events import City

CITY, OTHER = "MASHHAD", "TEHRAN"
PATH = "/v1/municipalities/{code}/receivables"
Sums = Counter[tuple[int, str]]


def plates(lines: list[str]) -> list[str]:
    return [parse_plate(plate).key for plate in written_plates(lines)]


class Town:
    """A city of the system whose people pay: the duty is paid, and its chain tells so."""

    def __init__(self, system: System, municipality: str = CITY) -> None:
        self.system = system
        self.code = municipality
        self.chain = City(municipality=municipality)
        self.told = 0
        put_municipality_settings(Table("duty"), [(municipality, {"first_duty_year": 1395})])

    def pays(self, plate: str, years: int | None = None, **more: Any) -> Any:
        """The car's quote, or its oldest `years` years, is paid and told."""
        quote = self.system.quote(self.code, plate)[1]
        by_year: Counter[int] = Counter()
        for line in quote["lines"]:
            if line["year"] is not None:
                by_year[line["year"]] += int(line["amount_rial"])
        owed = [(year, rial) for year, rial in sorted(by_year.items()) if rial][:years]
        row = DutyStore(Table("duty")).rows(self.code, plate)[0]
        amount = sum(rial for _, rial in owed)
        payment = self.chain.pays(
            at=NOW,
            vehicle=row.vehicle_id,
            plate=plate,
            vehicle_class=row.facts["vehicle_class"],
            years=tuple(YearAmount(year, rial) for year, rial in owed),
            rounding_rial=-amount % 1_000,
            amount_rial=amount + -amount % 1_000 + 5_000,
            **more,
        )
        duty = Table("duty")
        for year, rial in owed:
            item = {
                "status": "paid",
                "payment_id": payment.payment_id,
                "municipality": self.code,
                "plate": plate,
                "amount_rial": rial,
                "paid_on": "2026-11-23",
            }
            transact([duty.put(keys.duty(row.vehicle_id, year), item)], dynamodb=duty.dynamodb)
        self.tell()
        return payment

    def gives_back(self, payment: Any) -> None:
        self.chain.gives_back(payment, NOW)
        client = dynamo.client("dynamodb")
        for part in payment.years:
            pk, sk = keys.duty(payment.vehicle_id, part.year)
            client.delete_item(TableName="duty", Key={"pk": {"S": pk}, "sk": {"S": sk}})
        self.tell()

    def tell(self) -> None:
        ledger = Table("ledger")
        for event in self.chain.events[self.told :]:
            place = ledger.put_new(keys.chain_event(self.code, event.sequence), event_item(event, "now"))
            transact([place], dynamodb=ledger.dynamodb)
        self.told = len(self.chain.events)
        head = ledger.put(keys.chain_head(self.code), head_item(self.chain.head(self.code)))
        transact([head], dynamodb=ledger.dynamodb)

    def table(self, **more: Any) -> dict[str, Any]:
        more = {"by": "municipality", "city": self.code, **more}
        status, told = self.system.call("GET", PATH, params={"code": self.code}, **more)
        assert status == 200, told
        return told

    def quoted(self, on: list[str]) -> tuple[Sums, int]:
        """Open rial by (year, class) and the sum, from the answers of single quotes."""
        opened: Sums = Counter()
        whole = 0
        for plate in on:
            status, quote = self.system.quote(self.code, plate)
            assert status == 201, (plate, quote)
            vehicle_class = quote["vehicle"]["vehicle_class"]
            by_year: Counter[int] = Counter()
            for line in quote["lines"]:
                if line["year"] is not None:
                    by_year[line["year"]] += int(line["amount_rial"])
            owed = {year: rial for year, rial in by_year.items() if rial}
            for year, rial in owed.items():
                opened[year, vehicle_class] += rial
            if owed:
                opened[max(owed), vehicle_class] += int(quote["owed_rial"]) - sum(owed.values())
            whole += int(quote["owed_rial"])
        return opened, whole


def compute() -> dict[str, Any]:
    return build.handle({}, None)


@pytest.fixture
def town(system: System, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(build, "clock", system.clock)
    monkeypatch.setattr("tests.contract.assess_system.SCOPES", "ledger.read " + " ".join(_scopes()))
    return Town(system)


def _scopes() -> list[str]:
    from tests.contract.assess_system import SCOPES

    return SCOPES.split()


class Roll:
    """Rows of a roll that change from one file to the next; `plates` are those of its cars in their order."""

    def __init__(self, lines: list[str]) -> None:
        self.head, *self.cells = [next(csv.reader([line])) for line in lines]
        self.names = {name.removeprefix("\ufeff"): at for at, name in enumerate(self.head)}
        self.head[0] = "municipality"
        self.plates = plates(lines)

    def row(self, car: int, **cells: str) -> list[str]:
        """The row of this car with other cells."""
        row = list(self.cells[car])
        for name, text in cells.items():
            row[self.names[name]] = text
        return row

    def file(self, rows: list[list[str]], *more: str) -> list[str]:
        """The lines of a file of these rows, with columns more."""
        return [csv_line(row).rstrip() for row in ([*self.head, *more], *rows)]


def test_table_is_the_sum_of_the_quotes_of_every_car(town: Town) -> None:
    system, other, roll = town.system, Town(town.system, OTHER), Roll(good_rows(60))
    on = roll.plates
    system.act(system.upload(CITY, roll.file(roll.cells)), "commit")
    # 0. Before anybody has paid, what the roll is charged is what its quotes ask for, less penalty and rounding.
    assert compute()["cities"] == 1
    fresh = town.table()
    assert {(of["duty_year"], of["vehicle_class"]): of["charged_rial"] for of in fresh["charged"]} == {
        (row["duty_year"], row["vehicle_class"]): row["open_base_rial"] for row in fresh["rows"]
    }
    # 1. Plain payments: all years, and the oldest two.
    for plate in on[:6]:
        town.pays(plate)
    for plate in on[6:10]:
        town.pays(plate, 2)
    # 2. A payment that went back.
    town.gives_back(town.pays(on[10]))
    assert compute() == {"cities": 1, "unchanged": 0, "broken": 0, "left": 0}
    _cars_and_facts_change(town, roll)
    # 6. More plain payments, so that the books go on from where they were.
    for plate in on[50:54]:
        town.pays(plate, 1)
    assert compute() == {"cities": 2, "unchanged": 0, "broken": 0, "left": 0}

    _is_the_sum_of_quotes(town, on)
    _is_the_sum_of_quotes(other, [on[11], on[0]])
    told = town.table()
    assert int(told["totals"]["collected_rial"]) == town.chain.ledger_rial()
    assert 0 < told["one_by_one"] < told["vehicles"] == len(on), "plain cars were counted in columns"
    assert told["commitment"] == {
        "roll_versions": [1, 2],
        "tariff_version": system.quote(CITY, on[0])[1]["tariff_version"],
        "sequence": len(town.chain.events),
        "hash": town.chain.events[-1].hash,
        "as_of": "2026-11-23",
    }
    _and_on_another_day(town, on)


def _cars_and_facts_change(town: Town, roll: Roll) -> None:
    system = town.system
    # 3. A car that another city has as well, from 1403 on, and one that paid before it moved.
    moved = [roll.row(car, municipality=OTHER, residence_from_jalali="1403-02-01") for car in (11, 0)]
    taken = system.upload(OTHER, roll.file(moved))
    assert (taken["refused"], taken["added"]) == (0, 2), taken
    system.act(taken, "commit")
    # 4. A plate that passed to another car in a later roll; a base price that changed.
    numbers = {"plate": roll.cells[7][roll.names["plate"]], "vin": "", "chassis": "HEIR0001", "engine": "HEIR0002"}
    heir = roll.row(39, **numbers, residence_from_jalali="1404-01-05")
    dearer = roll.row(29, base_price_rial="987654321")
    rows = [[*roll.row(7), "1404-01-01"], [*heir, ""], [*dearer, ""]]
    taken = system.upload(CITY, roll.file(rows, "residence_to_jalali"))
    assert (taken["refused"], taken["added"], taken["changed"]) == (0, 1, 2), taken
    system.act(taken, "commit")
    # 5. A correction that an office entered.
    body = {"municipality": CITY, "evidence": {"kind": "card", "reference": "1"}, "facts": {"cylinders": 12}}
    entered = system.call(
        "POST", "/v1/vehicles/{plate}/corrections", body, by="office-1", params={"plate": roll.plates[20]}
    )  # fmt: skip
    assert entered[0] == 201, entered


def _is_the_sum_of_quotes(place: Town, its: list[str]) -> None:
    """Cell by cell and in all, whichever way the table is added up."""
    told = place.table()
    opened, whole = place.quoted(its)
    assert int(told["totals"]["open_rial"]) == whole > 0
    found = {(row["duty_year"], row["vehicle_class"]): int(row["open_rial"]) for row in told["rows"]}
    assert {key: rial for key, rial in found.items() if rial} == dict(opened)
    assert sum(int(band["open_rial"]) for band in told["ageing"]) == whole
    assert sum(band["vehicles"] for band in told["ageing"]) == told["totals"]["vehicles_owing"]
    assert (told["not_assessed"], told["as_rolled"]) == (0, 0)
    for row in told["rows"]:
        assert int(row["owed_rial"]) == int(row["open_rial"]) + int(row["collected_rial"])


def _and_on_another_day(town: Town, on: list[str]) -> None:
    assert compute() == {"cities": 0, "unchanged": 2, "broken": 0, "left": 0}
    before = town.table()
    town.system.clock.advance(timedelta(days=40))
    assert compute()["cities"] == 2
    later = town.table()
    assert int(later["totals"]["open_rial"]) == town.quoted(on)[1] > int(before["totals"]["open_rial"])
    assert later["totals"]["collected_rial"] == before["totals"]["collected_rial"]


def test_newest_rolls_are_told_to_the_city_alone(system: System) -> None:
    lines = good_rows(4)
    first, second = system.upload(CITY, lines[:3]), system.upload(CITY, lines)
    system.act(second, "commit")
    status, told = system.call("GET", "/v1/rolls", by="municipality", city=CITY)
    assert (status, told["visible_versions"]) == (200, [2])
    assert [(roll["roll_id"], roll["status"]) for roll in told["rolls"]] == [
        (second["roll_id"], "committed"),
        (first["roll_id"], "previewed"),
    ]
    foreign = system.call("GET", "/v1/rolls", by="municipality", city=OTHER, municipality=CITY)
    assert foreign[1]["code"] == "roll_not_found"


def test_csv_has_the_rows_of_the_answer_and_is_the_citys_own(town: Town) -> None:
    system = town.system
    lines = good_rows(12)
    system.act(system.upload(CITY, lines), "commit")
    params = {"code": CITY}
    early = system.call("GET", PATH, by="municipality", city=CITY, params=params)
    assert (early[0], early[1]["code"]) == (404, "receivables_not_found")
    town.pays(plates(lines)[0])
    compute()
    told = town.table(by="auditor")
    text = _csv(system, CITY)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
    assert [(int(row["duty_year"]), row["vehicle_class"], row["open_rial"]) for row in rows] == [
        (row["duty_year"], row["vehicle_class"], row["open_rial"]) for row in told["rows"]
    ]
    assert sum(int(row["owed_rial"]) for row in rows) == int(told["totals"]["owed_rial"])
    foreign = system.call("GET", PATH, by="municipality", city=OTHER, params=params)
    assert foreign[1]["code"] == "receivables_not_found"
    unknown = system.call("GET", PATH, by="operator", params={"code": "ATLANTIS"})
    assert unknown[1]["code"] == "municipality_unknown"


def _csv(system: System, city: str) -> str:
    kept: dict[str, Any] = {}

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        kept.update(rolls.router.handle(event, context))
        return {"statusCode": kept["statusCode"], "body": "{}"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rolls, "handle", handle)
        status, _ = system.call("GET", f"{PATH}.csv", by="municipality", city=city, params={"code": city})
    assert status == 200
    assert kept["headers"]["content-disposition"].endswith('-receivables-2026-11-23.csv"')
    return str(kept["body"])


def test_forged_event_stops_the_city_and_lost_books_are_read_again(town: Town) -> None:
    system = town.system
    lines = good_rows(8)
    system.act(system.upload(CITY, lines), "commit")
    town.pays(plates(lines)[0])
    compute()
    before = town.table()
    shelf = ReceivablesShelf(Table("duty"), "rolls")
    standing = shelf.standing(CITY)
    assert standing is not None
    dynamo.client("s3").delete_object(Bucket="rolls", Key=PREFIX + standing.marks)
    system.clock.advance(timedelta(days=1))
    assert compute()["cities"] == 1
    again = town.table()
    assert {**again, "commitment": 0, "computed_at": 0, "as_of_jalali": 0} == {
        **before,
        "commitment": 0,
        "computed_at": 0,
        "as_of_jalali": 0,
    }
    stale = replace(standing, computed_at=to_rfc3339(NOW - timedelta(days=1)))
    assert not shelf.replace(CITY, stale, replace(stale, books="x")), "of two computations the second is dropped"
    dynamo.client("s3").put_object(Bucket="rolls", Key=PREFIX + shelf.standing(CITY).table, Body=b"{}")  # type: ignore[union-attr]
    with pytest.raises(TableUnsound):
        shelf.table(shelf.standing(CITY))  # type: ignore[arg-type]
    town.pays(plates(lines)[1])
    ledger, key = Table("ledger"), keys.chain_event(CITY, len(town.chain.events))
    item = ledger.get(key)
    assert item is not None
    forged = {**item, "data": item["data"].replace("ev_", "ev_x")}
    transact([ledger.put(key, forged)], dynamodb=ledger.dynamodb)
    assert compute() == {"cities": 0, "unchanged": 0, "broken": 1, "left": 0}
