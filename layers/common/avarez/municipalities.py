"""The municipalities: our stable codes with names and provinces. Names repeat, codes never do."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality; `code` is upper-case ASCII, stable for ever, with the province where a name repeats."""

    code: str
    name_fa: str
    name_en: str
    province: str
    province_fa: str
    province_en: str

    def to_json(self) -> dict[str, str]:
        """The form in `GET /v1/municipalities`."""
        return asdict(self)


@functools.cache
def _by_code() -> dict[str, Municipality]:
    text = resources.files("avarez").joinpath("data", "municipalities.json").read_text(encoding="utf-8")
    return {row["code"]: Municipality(**row) for row in json.loads(text)}


def all_municipalities() -> tuple[Municipality, ...]:
    """Every municipality, by code."""
    return tuple(_by_code().values())


def is_municipality(code: str) -> bool:
    """Whether `code` is one of ours, spelt exactly so."""
    return code in _by_code()


def find_municipality(code: str) -> Municipality | None:
    """The municipality with this code, or None."""
    return _by_code().get(code)
