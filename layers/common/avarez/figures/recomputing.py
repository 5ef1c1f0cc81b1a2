"""The figures once more: from the published files alone, and from the events themselves. Pure.

What is proved, by number:
1. Each file is what its name says, which is its content's SHA-256.
2. The table (CSV) has the rows of the document (JSON); its totals and the manifest's are those of the rows.
3. The city's events are one unbroken chain, and the last one has the commitment's hash.
4. The same steps over the same events give the same rows, and each step's day and sums.
5. The files for planners are those that the city's document gives.
6. What is told of the city's charges: its files as 1 and 2, each year with the roll, the tariff, the day and the
   place of the chain that it was computed from. From the events: five vehicles of each row or more had not paid,
   and the steps since have closed what had to be. The rial themselves are the roll's, which is not public.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from avarez.events.chain import Event, faults
from avarez.figures.cells import SUBJECTS_MIN, Books, CellKey, day_of, shares_of
from avarez.figures.files import (
    CityFigures,
    Commitment,
    FiguresUnsound,
    city_from,
    file_name,
    rows_of_csv,
    step_end,
    totals,
)
from avarez.figures.merging import added
from avarez.figures.owed.files import owed_entry, owed_from, same_table
from avarez.figures.owed.rule import CityOwed, unpaid
from avarez.figures.steps import Run, Watch
from avarez.planning.document import planning_files


@dataclass
class Checked:
    """A city's figures with what is wrong of them; `books` where its events were read."""

    municipality: str
    figures: CityFigures | None = None
    owed: CityOwed | None = None
    books: Books | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.faults


def check_files(entry: Mapping[str, Any], read: Callable[[str], bytes]) -> Checked:
    """Obligations 1 and 2 on what the manifest says of a city; `read` gives a file by its name."""
    checked = Checked(str(entry["municipality"]))
    contents = _contents(checked, entry["files"], read, "the")
    if checked.faults:
        return checked
    try:
        city = city_from(contents["json"])
        table = rows_of_csv(contents["csv"])
    except FiguresUnsound as fault:
        checked.faults.append(str(fault))
        return checked
    checked.figures = city
    told = {
        "municipality": city.municipality,
        "commitment": city.commitment.told(),
        "steps": len(city.steps),
        "totals": totals(city.rows),
        "rows": len(city.rows),
    }
    planning = {form: file_name(content, form) for form, content in planning_files(city).items()}
    if (
        planning != {form: of["name"] for form, of in entry.get("planning", {}).items()} and "planning" in entry
    ):  # 5
        checked.faults.append("the files for planners are not those of the document")
    if table != city.rows:  # 2
        checked.faults.append("the table and the document differ")
    checked.faults += [
        f"the manifest's {name} is not the document's" for name in told if told[name] != entry[name]
    ]
    if "owed" in entry:  # 6
        _check_owed(checked, entry["owed"], read)
    return checked


def _contents(
    checked: Checked, files: Mapping[str, Any], read: Callable[[str], bytes], whose: str
) -> dict[str, bytes]:
    """The files by their format; what is not its name's content is a fault."""
    contents: dict[str, bytes] = {}
    for form, of in files.items():
        contents[form] = read(of["name"])
        if file_name(contents[form], form) != of["name"]:  # 1
            checked.faults.append(f"{whose} {form} file is not what its name says")
    return contents


def _check_owed(checked: Checked, told: Mapping[str, Any], read: Callable[[str], bytes]) -> None:
    before = len(checked.faults)
    contents = _contents(checked, told["files"], read, "owed: the")
    if len(checked.faults) > before:
        return
    try:
        city = owed_from(contents["json"])
        if not same_table(city, contents["csv"]):
            checked.faults.append("owed: the table and the document differ")
    except FiguresUnsound as fault:
        checked.faults.append(f"owed: {fault}")
        return
    checked.owed = city
    if city.municipality != checked.municipality or owed_entry(city, contents) != dict(told):
        checked.faults.append("owed: the manifest does not say what the document does")


def check_events(checked: Checked, events: Iterable[Event]) -> None:
    """Obligations 3, 4 and the events' part of 6: the events from the city's first one on, against its figures."""
    if checked.figures is None:
        return
    city, waiting = checked.figures, iter(events)
    watch = Watch(checked.owed or CityOwed(city.municipality))
    rows: Mapping[CellKey, tuple[int, int]] = {}
    checked.books = Books()
    since: Commitment = Commitment()
    for end in city.steps:
        events_of = list(islice(waiting, end.sequence - since.sequence))
        fault = next(
            faults(city.municipality, events_of, after_sequence=since.sequence, after_hash=since.hash), None
        )
        last = events_of[-1] if events_of else None
        if fault is not None or last is None or (last.sequence, last.hash) != (end.sequence, end.hash):  # 3
            where = f"{since.sequence + 1} to {end.sequence}"
            checked.faults.append(f"the chain from {where} does not lead to its commitment")
            return
        run = Run()
        for event in events_of:
            run.take(shares_of(event.data, checked.books))
        step = watch.rows(run)
        if step is None:
            checked.faults.append(f"the step to {end.sequence} is of too few vehicles")
            return
        watch.took(run)
        day = max(day_of(event.data) for event in events_of)
        if end != step_end(end.sequence, end.hash, day, step):
            checked.faults.append(f"the step to {end.sequence} is not of the day or the sums that it says")
        rows, since = added(rows, step), end
        checked.faults += [
            f"owed: fewer than {SUBJECTS_MIN} vehicles of {of.year} {name} had not paid when it was told"
            for of in watch.city.years
            if of.steps == watch.steps
            for name, left in unpaid(of, watch.memory.payers).items()
            if left < SUBJECTS_MIN
        ]
    if rows != city.rows:  # 4
        different = sum(rows.get(key) != city.rows.get(key) for key in {*rows, *city.rows})
        checked.faults.append(f"{different} rows are not those of the events")
