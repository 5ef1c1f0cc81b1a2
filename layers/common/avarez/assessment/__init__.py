"""The assessment engine: vehicle facts, residence, payments, tariff and a day in; explained lines out.

`assess` is pure and total but for `TariffMissing`: the same inputs give the same lines and the same hash, in
any process, place and time zone. `docs/law.md` leads from each article of the law to the row, rule and test.
"""

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
