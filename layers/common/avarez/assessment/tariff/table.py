"""The tariff as it is looked up: rows by place, year and class, settings by day, and the hash that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from avarez.assessment.model import Vehicle, VehicleClass
from avarez.assessment.tariff.reader import Reader
from avarez.assessment.tariff.rows import NATIONAL, Ranked, RowKind, Settings, Source, YearRows
from avarez.canonical import content_hash


class Tariff:
    """A checked tariff. `content_hash` is the SHA-256 of `document` in RFC 8785 form: the tariff's version.

    `files` tells for each row's id the file that it came from, where it came from files.
    """

    def __init__(self, document: Mapping[str, Any], files: Mapping[str, str] | None = None) -> None:
        reader = Reader(document, files or {})
        self.document: Final = document
        self.files: Final = dict(files or {})
        self.content_hash: Final = content_hash(document)
        self.catalogue: Final = reader.catalogue
        self.scoped: Final = reader.scoped
        self.setting_rows: Final = tuple(reader.settings)
        self.penalties: Final = reader.penalties
        self.adjustments: Final = tuple(reader.adjustments)
        self._places: Final = frozenset(
            place for rows in reader.scoped.values() for row in rows for place in row.scope.places or ()
        )
        self._year_rows: Final[dict[tuple[str, int, str], YearRows]] = {}
        self._together: Final[dict[tuple[Source, ...], Source]] = {}

    def path(self, vehicle: Vehicle) -> tuple[str, ...]:
        """The catalogue nodes of the vehicle, the deepest first."""
        return self.catalogue.path(vehicle.make, vehicle.model) if self.catalogue.nodes else ()

    def year_rows(self, municipality: str, year: int, vehicle_class: VehicleClass) -> YearRows:
        """The rows of one place, duty year and class, gathered once and kept."""
        place = municipality if municipality in self._places else NATIONAL
        key = (place, year, vehicle_class.value)
        rows = self._year_rows.get(key)
        if rows is None:
            rows = self._year_rows[key] = self._gather(place, year, vehicle_class)
        return rows

    def settings(self, municipality: str, as_of: date) -> Settings:
        """The settings of a city on a day: its own row over the national one over the defaults, each by field."""
        settings = Settings()
        for of_city in (False, True):
            for row in self.setting_rows:
                if (row.places is not None) != of_city or not row.as_of[0] <= as_of <= row.as_of[1]:
                    continue
                if row.places is None or municipality in row.places:
                    # A row about instalments alone is no source of what a quote's lines rest on.
                    of_lines = not all(name.startswith("instalment") for name in row.values)
                    settings = replace(settings, source=row.source if of_lines else settings.source, **row.values)
        return settings

    def together(self, sources: tuple[Source, ...]) -> Source:
        """The source of a line that several rows made: their ids joined by `+`, each law named once."""
        joined = self._together.get(sources)
        if joined is None:
            joined = self._together[sources] = Source(
                rule="+".join(source.rule for source in sources),
                law="; ".join(dict.fromkeys(source.law for source in sources)),
                law_fa="؛ ".join(dict.fromkeys(source.law_fa for source in sources)),
                demonstration=any(source.demonstration for source in sources),
            )
        return joined

    def principal_years(self, vehicle_class: VehicleClass) -> tuple[int, ...]:
        """The duty years for which some national row gives a principal for the class."""
        years: set[int] = set()
        for row in self.scoped[RowKind.PRINCIPAL]:
            if row.scope.places is None and (row.scope.classes is None or vehicle_class in row.scope.classes):
                years.update(range(row.scope.duty_years[0], row.scope.duty_years[1] + 1))
        return tuple(sorted(years))

    def _gather(self, place: str, year: int, vehicle_class: VehicleClass) -> YearRows:
        def rows(kind: RowKind) -> list[Any]:
            return [
                row
                for row in self.scoped[kind]
                if row.scope.duty_years[0] <= year <= row.scope.duty_years[1]
                and (row.scope.classes is None or vehicle_class.value in row.scope.classes)
                and (row.scope.places is None or place in row.scope.places)
            ]

        reliefs = rows(RowKind.EXEMPTION) + rows(RowKind.DISCOUNT)
        return YearRows(
            principal=Ranked(rows(RowKind.PRINCIPAL)),
            base_price=Ranked(rows(RowKind.BASE_PRICE)),
            surcharge=Ranked(rows(RowKind.SURCHARGE)),
            pollution=Ranked(rows(RowKind.POLLUTION)),
            reliefs=tuple(sorted(reliefs, key=lambda row: row.scope.places is None)),
        )
