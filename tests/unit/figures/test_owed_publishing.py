"""What cities are owed: told once a year, exact, watched by later steps, and held by whoever verifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez.figures.cells import MERGED
from avarez.figures.files import FiguresUnsound
from avarez.figures.owed.files import owed_entry, owed_files, owed_from, same_table
from avarez.figures.owed.rule import Basis, Charges, Owed
from avarez.figures.recomputing import Checked, check_events, check_files
from avarez.journal import YearAmount
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, CITY, City

BASIS = Basis(date(2026, 3, 25), (1, 2), "a" * 64, 17, "b" * 64)
CELLS = {
    (1403, "passenger"): Owed(900_000_000, 30),
    (1403, "bus"): Owed(50_000_000, 2),
    (1403, "truck"): Owed(70_000_000, 4),
    (1404, "passenger"): Owed(1_200_000_000, 40),
    (1404, "bus"): Owed(240_000_000, 12),
    (1405, "passenger"): Owed(1_400_000_000, 41),
}
"""On 5 Farvardin 1405; the last one is of the year that runs."""


def pays(city: City, day: int, count: int, year: int, vehicle_class: str, channel: str = "gateway") -> None:
    """So many cars pay one year."""
    for number in range(count):
        at = BEGIN + timedelta(days=day, minutes=number)
        rial = 1_000_000 + number
        years = (YearAmount(year, rial),)
        changes: dict[str, Any] = {"years": years, "rounding_rial": 0, "amount_rial": rial + 5_000}
        city.pays(at=at, vehicle_class=vehicle_class, channel=channel, **changes)


@pytest.fixture
def desk() -> Desk:
    """A city whose collected figures have a step, and whose charges are known."""
    city = City()
    made = Desk([city], charged={CITY: Charges(BASIS, CELLS)})
    pays(city, 0, 6, 1404, "passenger")
    assert made.publish().owed == [CITY]
    return made


def checked(desk: Desk, entry: dict[str, Any] | None = None) -> Checked:
    found = check_files(entry or dict(desk.manifest()["cities"][0]), desk.files.__getitem__)
    check_events(found, desk.cities[0].events)
    return found


def test_years_that_have_ended_are_told_once_and_their_sums_are_exact(desk: Desk) -> None:
    city = desk.owed(CITY)
    assert {of.year: of.rows for of in city.years} == {
        1403: {"passenger": Owed(900_000_000, 30), MERGED: Owed(120_000_000, 6)},
        1404: {"passenger": Owed(1_200_000_000, 40), "bus": Owed(240_000_000, 12)},
    }
    assert {of.basis for of in city.years} == {BASIS}
    entry = desk.manifest()["cities"][0]["owed"]
    assert entry["totals"] == {"owed_rial": "2460000000", "duties": 88}
    contents = {form: desk.files[of["name"]] for form, of in entry["files"].items()}
    assert contents["csv"].decode("utf-8-sig").splitlines()[1:3] == [
        "TEHRAN,1405-01-05,1403,merged,120000000,6",
        "TEHRAN,1405-01-05,1403,passenger,900000000,30",
    ]
    assert same_table(owed_from(contents["json"]), contents["csv"])
    assert contents["parquet"].startswith(b"PAR1")
    assert checked(desk).faults == []


def test_a_year_is_not_told_again_and_the_next_one_comes_after_its_end(desk: Desk) -> None:
    before = desk.owed(CITY)
    later = replace(BASIS, as_of=date(2027, 3, 24), roll_versions=(1, 2, 3))
    cells = {duty: Owed(of.rial * 2, of.vehicles + 1) for duty, of in CELLS.items()}
    desk.charged[CITY] = Charges(replace(later, as_of=date(2026, 9, 1)), cells)
    assert desk.publish().publication is None
    desk.charged[CITY] = Charges(later, cells)
    done = desk.publish()
    assert (done.owed, done.advanced, done.publication) == ([CITY], [], desk.stood[1])
    after = desk.owed(CITY)
    assert after.years[:2] == before.years
    assert [(of.year, of.basis, of.rows) for of in after.years[2:]] == [
        (1405, later, {"passenger": Owed(2_800_000_000, 42)})
    ]
    assert checked(desk).faults == []


def test_a_row_that_is_nearly_paid_makes_no_row_of_collected_any_more(desk: Desk) -> None:
    city = desk.cities[0]
    pays(city, 1, 7, 1404, "bus")
    pays(city, 1, 9, 1405, "passenger", "pos")
    desk.publish()
    assert [key for key in desk.figures(CITY).rows if key.vehicle_class == "bus"], "five are left to pay"
    before = desk.figures(CITY).rows
    pays(city, 2, 4, 1404, "bus")  # one is left
    pays(city, 2, 5, 1405, "passenger", "pos")
    desk.memories.clear()  # whoever lost them reads again
    desk.publish()
    rows = desk.figures(CITY).rows
    assert {key: of for key, of in rows.items() if key.vehicle_class == "bus"} == {
        key: of for key, of in before.items() if key.vehicle_class == "bus"
    }
    assert any(key.vehicle_class == MERGED and count == 9 for key, (_, count) in rows.items())
    assert checked(desk).faults == []
    # With nobody else the step waits, and is taken with the next ones.
    pays(city, 3, 1, 1404, "bus")
    assert desk.publish().waiting == [CITY]
    pays(city, 4, 5, 1405, "passenger")
    assert desk.publish().advanced == [CITY]
    assert int(desk.manifest()["cities"][0]["totals"]["collected_rial"]) == city.ledger_rial()
    assert checked(desk).faults == []


def test_a_year_that_nearly_all_have_paid_is_not_told() -> None:
    city = City()
    desk = Desk([city], charged={CITY: Charges(BASIS, {(1404, "bus"): Owed(100, 9), (1403, "bus"): Owed(70, 6)})})
    pays(city, 0, 5, 1404, "bus")
    desk.publish()
    assert [of.year for of in desk.owed(CITY).years] == [1403]


def test_a_city_without_collected_figures_has_no_owed_yet() -> None:
    desk = Desk([City()], charged={CITY: Charges(BASIS, CELLS)})
    assert desk.publish().publication is None


def test_events_by_which_a_row_had_too_few_left_are_named(desk: Desk) -> None:
    city = desk.owed(CITY)
    rows = {**city.years[1].rows, "passenger": Owed(1_200_000_000, 10)}
    forged = replace(city, years=(city.years[0], replace(city.years[1], rows=rows)))
    contents = owed_files(forged)
    for form, content in contents.items():
        desk.keep(content, form)
    entry = {**desk.manifest()["cities"][0], "owed": owed_entry(forged, contents)}
    assert checked(desk, entry).faults == [
        "owed: fewer than 5 vehicles of 1404 passenger had not paid when it was told"
    ]


def _other_total(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "totals": {"owed_rial": "1", "duties": 88}}


def _other_years(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "years": [1403]}


@pytest.mark.parametrize("change", [_other_total, _other_years])
def test_a_manifest_that_says_otherwise_is_named(
    desk: Desk, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    entry = dict(desk.manifest()["cities"][0])
    found = checked(desk, {**entry, "owed": change(entry["owed"])})
    assert found.faults == ["owed: the manifest does not say what the document does"]


@pytest.mark.parametrize(
    ("form", "old", "new", "fault"),
    [
        ("csv", b"1403", b"1402", "owed: the table and the document differ"),
        ("csv", b"rial", b"dirham", "owed: a table with other columns"),
        ("json", b'"2460000000"', b'"2460000001"', "owed: a file whose totals are not those of its rows"),
        ("json", b'"roll_versions":[1,2]', b'"roll_versions":[]', "owed: a year that does not say what it was "),
        ("json", b'"duty_year":1404', b'"duty_year":1402', "owed: a file whose totals are not those of its rows"),
        ("json", b'"columns"', b'"pillars"', "owed: a file that cannot be read"),
    ],
    ids=repr,
)
def test_a_file_that_was_changed_is_named(desk: Desk, form: str, old: bytes, new: bytes, fault: str) -> None:
    entry = dict(desk.manifest()["cities"][0])
    files = dict(entry["owed"]["files"])
    content = desk.files[files[form]["name"]]
    assert old in content
    content = content.replace(old, new)
    changed = {
        **entry["owed"],
        "files": {**files, form: {"name": desk.keep(content, form), "bytes": len(content)}},
    }
    found = checked(desk, {**entry, "owed": changed})
    assert found.faults[0].startswith(fault)
    desk.files[files[form]["name"]] = content
    assert checked(desk).faults == [f"owed: the {form} file is not what its name says"]


def test_owed_of_another_form_is_refused() -> None:
    with pytest.raises(FiguresUnsound, match="another form"):
        owed_from(b'{"schema":2,"rule":1,"columns":[]}')
