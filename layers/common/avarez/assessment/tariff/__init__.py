"""The tariff: dated rows with a legal reference each, read from JSON, checked, and looked up.

A tariff is data that a tax officer writes and a second one approves; no rate, age, percentage or date of the
law stands in code. `docs/tariff.md` says how to write it. Read once (`load_tariff` from a directory of files,
`tariff_from_document` from a published document), it does not change; its `content_hash` names it.
"""

from avarez.assessment.tariff.faults import RULES, Fault
from avarez.assessment.tariff.files import load_tariff, merge, merge_files, read_directory, tariff_from_document
from avarez.assessment.tariff.reader import member_names, parse_rate
from avarez.assessment.tariff.rows import (
    FirstYear,
    MonthCounting,
    PenaltyRow,
    Ranked,
    ReliefRow,
    ReliefStage,
    RowKind,
    Settings,
    ShareRow,
    Source,
    SurchargeRow,
    YearRows,
)
from avarez.assessment.tariff.table import Tariff

__all__ = [
    "RULES",
    "Fault",
    "FirstYear",
    "MonthCounting",
    "PenaltyRow",
    "Ranked",
    "ReliefRow",
    "ReliefStage",
    "RowKind",
    "Settings",
    "ShareRow",
    "Source",
    "SurchargeRow",
    "Tariff",
    "YearRows",
    "load_tariff",
    "member_names",
    "merge",
    "merge_files",
    "parse_rate",
    "read_directory",
    "tariff_from_document",
]
