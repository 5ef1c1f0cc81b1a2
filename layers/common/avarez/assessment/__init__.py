"""The assessment engine: vehicle facts, residence, payments, tariff and a day in; explained lines out.

`assess` is pure and total but for `TariffMissing`: the same inputs give the same lines and the same hash, in
any process, place and time zone. `docs/law.md` leads from each article of the law to the row, rule and test.

A name is loaded when it is first asked for: a function that needs the facts of a vehicle alone starts without
the engine and the reader of tariffs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avarez.assessment.engine import assess
    from avarez.assessment.model import (
        Fuel,
        ModelCalendar,
        Origin,
        PaidYear,
        PenaltyPause,
        Residence,
        Vehicle,
        VehicleClass,
    )
    from avarez.assessment.tariff import Settings, Tariff, load_tariff, tariff_from_document
    from avarez.assessment.texts import LineKind, NoteCode
    from avarez.assessment.trace import Assessment, Line, Note, YearTotal

_PLACES = {
    "engine": ("assess",),
    "model": (
        "Fuel",
        "ModelCalendar",
        "Origin",
        "PaidYear",
        "PenaltyPause",
        "Residence",
        "Vehicle",
        "VehicleClass",
    ),
    "tariff": ("Settings", "Tariff", "load_tariff", "tariff_from_document"),
    "texts": ("LineKind", "NoteCode"),
    "trace": ("Assessment", "Line", "Note", "YearTotal"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


__all__ = [
    "Assessment",
    "Fuel",
    "Line",
    "LineKind",
    "ModelCalendar",
    "Note",
    "NoteCode",
    "Origin",
    "PaidYear",
    "PenaltyPause",
    "Residence",
    "Settings",
    "Tariff",
    "Vehicle",
    "VehicleClass",
    "YearTotal",
    "assess",
    "load_tariff",
    "tariff_from_document",
]
