"""A city's receivables in columns: CPU seconds and memory for a roll of plain cars, a third of their years paid.

`python -m benchmarks.receivables COUNT`. The roll is the demonstration's, again and again under other plates;
reading the chain and the cars that are quoted one by one are not in it.
"""

from __future__ import annotations

import io
import resource
import sys
import time
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from avarez.assessment.tariff import load_tariff
from avarez.fleet.columns import ColumnWriter
from avarez.fleet.engine import Question
from avarez.fleet.fleet import Fleet
from avarez.receivables.books import plate_mark, year_bit
from avarez.receivables.counting import Marks, Roll, add_charges, add_plain
from avarez.receivables.table import Commitment, Receivables
from avarez.roll.rows import RollReader, RollRow

ROOT: Final = Path(__file__).resolve().parents[1]
DAY: Final = date(2026, 11, 27)
YEARS: Final = range(1395, 1406)


def measured(count: int) -> dict[str, object]:
    """One computation: marking the plates of the roll, the columns' pass, and that of what all are charged."""
    file = _file(count)
    tariff = load_tariff(ROOT / "demo" / "tariffs")
    random = Random("receivables")  # noqa: S311 - repeatable on purpose
    started = time.process_time()
    fleet = Fleet.read(file)
    paid = {
        plate_mark(plate): sum(year_bit(year) for year in YEARS if random.random() < 1 / 3)
        for plate in fleet.plates.tolist()
    }
    marks = Marks.none().with_more(paid)
    made_s = time.process_time() - started
    started = time.process_time()
    roll = Roll.of(fleet, marks)
    marked_s = time.process_time() - started
    started = time.process_time()
    table = Receivables("TEHRAN", Commitment(as_of=DAY))
    question = Question.of(tariff, "TEHRAN", DAY, 1405)
    add_plain(table, roll, question, ())
    columns_s = time.process_time() - started
    started = time.process_time()
    add_charges(table, roll, question)
    return {
        "vehicles": table.vehicles,
        "rows": len(table.rows),
        "preparation_cpu_s": round(made_s, 2),
        "marking_cpu_s": round(marked_s, 2),
        "columns_cpu_s": round(columns_s, 2),
        "charges_cpu_s": round(time.process_time() - started, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _file(count: int) -> io.BytesIO:
    lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
    rows = [row for row in RollReader().read(line + "\n" for line in lines) if isinstance(row, RollRow)]
    cars = [row.to_json() for row in rows]
    writer, file = ColumnWriter(), io.BytesIO()
    kept = [RollRow.from_json(car) for car in cars]
    for number in range(count):
        row = kept[number % len(kept)]
        object.__setattr__(row, "plate", f"{10 + number % 90}V{number // 90 % 1000:03d}-{number // 90_000:02d}")
        writer.add_row(row)
    writer.write(file)
    file.seek(0)
    return file


if __name__ == "__main__":
    print(measured(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
