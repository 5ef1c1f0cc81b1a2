"""What a certificate's page reads besides its record: the lines of the quote that was paid, a city's emblem."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from avarez import keys
from avarez.dynamo import Table
from avarez.money import parse_rial
from avarez.municipalities import find_municipality
from functions.certify.certificates.record import RecordUnsound
from functions.certify.document.emblem import emblem_of
from functions.certify.document.page import MunicipalityName, YearLines

_DUTY: Final = frozenset(("principal", "surcharge", "pollution"))
_PENALTY: Final = "penalty"


class PageTable:
    """The quotes and settings of the duty table."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def lines(self, assessment_id: str) -> dict[int, YearLines]:
        """What each year of the quote was made of; nothing where there is no such quote."""
        quote = self._duty.follow(keys.pointer(assessment_id)) if assessment_id else None
        return {} if quote is None else lines_of(json.loads(quote["answer"]))

    def name(self, municipality: str) -> MunicipalityName:
        """Both names of the city, and its emblem if it has set one that may be printed.

        Raises: RecordUnsound when there is no such municipality.
        """
        found = find_municipality(municipality)
        if found is None:
            raise RecordUnsound("the municipality is unknown")
        item = self._duty.get(keys.municipality_setting(municipality)) or {}
        return MunicipalityName(found.name_fa, found.name_en, emblem_of(str(item.get("emblem_svg") or "")))


def lines_of(answer: Mapping[str, Any]) -> dict[int, YearLines]:
    """The lines of an answer of `POST /v1/assessments`, summed by year into duty, penalty and relief."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in answer["lines"]:
        if line["year"] is not None:
            place = 0 if line["kind"] in _DUTY else 1 if line["kind"] == _PENALTY else 2
            sums[int(line["year"])][place] += parse_rial(line["amount_rial"])
    return {year: YearLines(*amounts) for year, amounts in sums.items()}
