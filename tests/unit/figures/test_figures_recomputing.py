"""The figures recomputed from files and from events: whatever was changed is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez.figures.files import city_files, entry_of, file_name
from avarez.figures.recomputing import Checked, check_events, check_files
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, CITY, City


@pytest.fixture
def desk() -> Desk:
    """Three steps of one city."""
    city = City()
    made = Desk([city])
    for number in range(3):
        city.days(4, a_day=15, at=BEGIN + timedelta(days=30 * number))
        city.passes_on(BEGIN)
        assert made.publish().advanced == [CITY]
    return made


def entry(desk: Desk) -> dict[str, Any]:
    return dict(desk.manifest()["cities"][0])


def checked(desk: Desk, of: dict[str, Any] | None = None) -> Checked:
    return check_files(of or entry(desk), desk.files.__getitem__)


def test_files_and_events_that_were_published_are_good(desk: Desk) -> None:
    found = checked(desk)
    check_events(found, desk.cities[0].events)
    assert found.faults == []
    assert found.books is not None
    assert found.books.figures_rial == desk.cities[0].ledger_rial()
    assert found.books.balance_rial == desk.cities[0].ledger_rial() - 3 * (4_001_000 + 3_002_000)


def test_file_that_is_not_what_its_name_says_is_named(desk: Desk) -> None:
    name = entry(desk)["files"]["csv"]["name"]
    desk.files[name] += b"x"
    assert checked(desk).faults == ["the csv file is not what its name says"]


def test_table_that_says_otherwise_than_the_document_is_named(desk: Desk) -> None:
    of = entry(desk)
    content = desk.files[of["files"]["csv"]["name"]].replace(b"1405-01", b"1405-07", 1)
    changed = {**of, "files": {**of["files"], "csv": {"name": desk.keep(content, "csv"), "bytes": len(content)}}}
    assert checked(desk, changed).faults == ["the table and the document differ"]


@pytest.mark.parametrize("member", ["commitment", "steps", "totals", "rows", "municipality"])
def test_manifest_that_says_otherwise_than_the_document_is_named(desk: Desk, member: str) -> None:
    of = {**entry(desk), member: "SHIRAZ"}
    assert checked(desk, of).faults == [f"the manifest's {member} is not the document's"]


def test_files_for_planners_that_are_not_the_documents_are_named(desk: Desk) -> None:
    of = entry(desk)
    content = desk.files[of["planning"]["json"]["name"]].replace(b"as_of", b"as_if", 1)
    changed = {**of, "planning": {**of["planning"], "json": {"name": desk.keep(content, "json"), "bytes": 0}}}
    assert checked(desk, changed).faults == ["the files for planners are not those of the document"]


@pytest.mark.parametrize("change", [{"day": "2026-03-24"}, {"rial": 1}, {"payments": 1}], ids=repr)
def test_step_that_says_another_day_or_sum_is_named(desk: Desk, change: dict[str, Any]) -> None:
    found = checked(desk)
    assert found.figures is not None
    first, *rest = found.figures.steps
    found.figures = replace(found.figures, steps=(replace(first, **change), *rest))
    check_events(found, desk.cities[0].events)
    assert found.faults == [f"the step to {first.sequence} is not of the day or the sums that it says"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"schema":1}', b"\xff"], ids=repr)
def test_document_that_cannot_be_read_is_named(desk: Desk, content: bytes) -> None:
    of = entry(desk)
    changed = {**of, "files": {**of["files"], "json": {"name": desk.keep(content, "json"), "bytes": 0}}}
    assert len(checked(desk, changed).faults) == 1


def test_rows_that_are_not_those_of_the_events_are_counted(desk: Desk) -> None:
    """Everything is in order but for one rial that somebody moved from a row to another, with files to match."""
    city = desk.figures(CITY)
    first, second = list(city.rows)[:2]
    rows = dict(city.rows)
    rows[first] = rows[first][0] + 1, rows[first][1]
    rows[second] = rows[second][0] - 1, rows[second][1]
    forged = replace(city, rows=rows)
    contents = city_files(forged)
    desk.files |= {file_name(content, form): content for form, content in contents.items()}
    found = checked(desk, entry_of(forged, contents))
    assert found.faults == []
    check_events(found, desk.cities[0].events)
    assert found.faults == ["2 rows are not those of the events"]


def _left_out(events: list[Any]) -> list[Any]:
    return events[:7] + events[8:]


def _changed(events: list[Any]) -> list[Any]:
    data = json.loads(json.dumps(events[7].data).replace("passenger", "bus"))
    return [*events[:7], replace(events[7], data={**data, "occurred_at": "2026-01-01T00:00:00.000Z"}), *events[8:]]


@pytest.mark.parametrize("change", [_left_out, _changed, lambda events: events[:-1], lambda events: []])
def test_events_that_do_not_lead_to_the_commitment_are_named(
    desk: Desk, change: Callable[[list[Any]], list[Any]]
) -> None:
    found = checked(desk)
    check_events(found, change(desk.cities[0].events))
    assert len(found.faults) == 1
    assert found.faults[0].endswith("does not lead to its commitment")
