"""Our Parquet, read by somebody else's reader (npm `hyparquet`)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from avarez.figures.files import city_files
from avarez.figures.parquet import parquet_bytes
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import CITY, City

ROOT = Path(__file__).resolve().parents[3]
READER = """
import { parquetReadObjects, parquetMetadata } from "hyparquet";
import { readFileSync } from "node:fs";
const file = readFileSync(process.argv[1]);
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const rows = await parquetReadObjects({ file: buffer });
const text = (_, value) => (typeof value === "bigint" ? String(value) : value);
console.log(JSON.stringify({ rows, count: String(parquetMetadata(buffer).num_rows) }, text));
"""


def read(path: Path) -> dict[str, object]:
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", READER, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def test_another_reader_finds_the_rows_of_a_city(tmp_path: Path) -> None:
    city = City()
    city.days(20, a_day=20)
    desk = Desk([city])
    desk.publish()
    figures = desk.figures(CITY)
    (tmp_path / "city.parquet").write_bytes(city_files(figures)["parquet"])
    told = read(tmp_path / "city.parquet")
    assert told["count"] == str(len(figures.rows))
    assert told["rows"] == [
        {"municipality": CITY, **key._asdict(), "rial": str(rial), "count": str(count)}
        for key, (rial, count) in figures.rows.items()
    ]


@pytest.mark.parametrize("count", [1, 15, 200])
def test_many_columns_negative_and_large_numbers_and_persian_text_are_read_as_written(
    tmp_path: Path, count: int
) -> None:
    columns = [(f"c{place}", [f"شهر {place}", "", "x" * 300]) for place in range(count)]
    numbers = [-(2**63), 0, 2**63 - 1]
    (tmp_path / "wide.parquet").write_bytes(parquet_bytes([*columns, ("n", numbers)], "test"))
    told = read(tmp_path / "wide.parquet")
    assert told["rows"] == [
        {**{name: values[row] for name, values in columns}, "n": str(numbers[row])} for row in range(3)
    ]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        parquet_bytes([("a", [1]), ("b", [1, 2])], "test")
