"""Joins the published list of cities with our own stable codes into the data file of the common layer.

Run after a change of either: `python -m infra.build_municipalities`. The list is the npm package
`iran-cities-json` (MIT); the codes and English names are ours and stand in
`layers/common/avarez/data/*_codes.csv`, keyed by that list's ids. A code once given is never changed or
used again.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "layers" / "common" / "avarez" / "data"
PACKAGE = ROOT / "node_modules" / "iran-cities-json"
OUTPUT = DATA / "municipalities.json"


def build(package: Path = PACKAGE) -> str:
    """The data file's text: every city of the package, sorted by code, one a line.

    Raises:
        KeyError: a city or province of the package has no code of ours.
    """
    provinces = {province["id"]: province["name"] for province in _json(package / "ostan.json")}
    province_codes = _codes("province_codes.csv", "province_id")
    codes = _codes("municipality_codes.csv", "city_id")
    rows = []
    for city in _json(package / "shahr.json"):
        province = city["ostan"]
        rows.append(
            {
                "code": codes[city["id"]]["code"],
                "name_fa": " ".join(city["name"].split()),
                "name_en": codes[city["id"]]["name_en"],
                "province": province_codes[province]["code"],
                "province_fa": provinces[province].replace(" وب", " و ب"),
                "province_en": province_codes[province]["name_en"],
            }
        )
    rows.sort(key=lambda row: row["code"])
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _codes(name: str, key: str) -> dict[int, dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return {int(row[key]): row for row in csv.DictReader(file)}


if __name__ == "__main__":
    OUTPUT.write_text(build(), encoding="utf-8")
