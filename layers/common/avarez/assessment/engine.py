"""`assess`: the years that are owed here, each year's lines, what is paid, and the quote's rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from avarez.assessment.model import Agreement, PaidYear, PenaltyPause, Residence, Vehicle, residence_on
from avarez.assessment.rules import (
    age_years,
    capped_rial,
    first_year_months,
    flat_rial,
    penalty_months,
    penalty_rial,
    principal_rial,
    relief_rial,
    room_under_cap_rial,
    rounding_rial,
    surcharge_percent,
    surcharge_rial,
)
from avarez.assessment.tariff import (
    FirstYear,
    MonthCounting,
    ReliefRow,
    ReliefStage,
    Settings,
    ShareRow,
    Source,
    SurchargeRow,
    Tariff,
    YearRows,
)
from avarez.assessment.texts import LineKind, NoteCode, years_text, years_text_fa
from avarez.assessment.trace import Assessment, Line, Note, YearTotal
from avarez.errors import FieldError, InvalidInput, TariffMissing
from avarez.jalali import (
    FIRST_YEAR,
    LAST_YEAR,
    MONTHS_IN_YEAR,
    JalaliDate,
    format_jalali,
    month_number,
    month_start,
    to_gregorian,
    to_jalali,
)


def assess(
    vehicle: Vehicle,
    residences: Sequence[Residence],
    payments: Iterable[PaidYear],
    tariff: Tariff,
    as_of: date,
    through_year: int | None,
    municipality: str,
    *,
    settings: Settings | None = None,
    pauses: Sequence[PenaltyPause] = (),
    agreements: Sequence[Agreement] = (),
) -> Assessment:
    """What the vehicle owes `municipality` as of a Gregorian day, for duty years up to `through_year`.

    A pure function. Years run from the one in which the duty starts, but not before the city's first duty year,
    to `through_year` (None: the Jalali year of `as_of`). A year counts here if the city of residence of that
    year is this one. `residences` are all that is known of any city; with one city known, or none but this one,
    every year is its own ("the first known city", docs/law.md).

    A year in `payments` is settled: its lines are as of the payment's day and a `paid` line, with an
    `adjustment` for any difference, brings them to 0, wherever it was paid. Lines come by year, in each year in
    the order in which they arise; one `rounding` line of the whole quote comes last, if there is anything to
    round. The lines sum to `owed_rial`. `settings` replaces those of the tariff. In a `pauses` period the penalty
    does not grow. Years that are being paid by instalments have no lines, only a note; once such an agreement is
    broken they are owed again, less what was paid, and the penalty grows on the rest of its base.

    Law: VAT law of 1387/02/17, arts. 42-43, for duty years to 1400; VAT law of 1400/03/02, arts. 28-29 and 41,
    from 1401; late penalty by art. 37 of the latter.

    Raises:
        TariffMissing: no principal for some unpaid years; `extra` names all of them and the class.
        InvalidInput: `through_year` outside 1200-1499.
    """
    if through_year is None:
        through_year = to_jalali(as_of).year
    elif not FIRST_YEAR <= through_year <= LAST_YEAR:
        raise _through_year_refused(through_year)
    if settings is None:
        settings = tariff.settings(municipality, as_of)
    payments = tuple(sorted(payments, key=lambda paid: (paid.year, paid.paid_on, paid.payment_id)))
    if settings.gregorian_model_year_offset != vehicle.model_year_offset:
        vehicle = replace(vehicle, model_year_offset=settings.gregorian_model_year_offset)
    starts = to_jalali(vehicle.duty_starts)
    first_year = first_assessed_year(starts.year, settings, as_of)
    path = tariff.path(vehicle)
    work = _Work(vehicle, tariff, settings, municipality, starts.year, starts.month, path, pauses, agreements)
    found = work.years(range(first_year, through_year + 1), residences, payments, as_of)
    if found.missing:
        raise _tariff_missing(vehicle, found.missing)

    before_rounding = sum([total.amount_rial for total in found.totals])
    rounding = rounding_rial(before_rounding, settings.rounding_unit_rial) if before_rounding > 0 else 0
    if rounding:
        found.lines.append(_rounding_line(before_rounding, rounding, settings))
    not_assessed_before = first_year if starts.year < first_year else None
    return Assessment(
        municipality=municipality,
        as_of=as_of,
        through_year=through_year,
        tariff_version=tariff.content_hash,
        vehicle=vehicle,
        lines=tuple(found.lines),
        years=tuple(found.totals),
        owed_rial=before_rounding + rounding,
        rounding_rial=rounding,
        not_assessed_before=not_assessed_before,
        elsewhere=tuple(found.elsewhere),
        residence_disputed=bool(found.disputed),
        notes=work.notes(starts.year, not_assessed_before, found),
        residences=tuple(residences),
        payments=payments,
        pauses=tuple(pauses),
        agreements=tuple(agreements),
        by_instalments=tuple(year for year, _ in found.by_instalments),
    )


def first_assessed_year(start_year: int, settings: Settings, as_of: date) -> int:
    """The first duty year that is assessed: that of the duty's start, the city's first, or the oldest in time."""
    first_year = max(start_year, settings.first_duty_year or start_year)
    if settings.limitation_years is not None:
        first_year = max(first_year, to_jalali(as_of).year - settings.limitation_years)
    return first_year


def _cities(residences: Sequence[Residence], municipality: str) -> str | Sequence[Residence]:
    """The one city of every year, where only one is known; else the residences to look at year by year."""
    if not residences:
        return municipality
    first = residences[0].municipality
    if all(residence.municipality == first for residence in residences):
        return first
    return residences


def _city_of_year(
    year: int, start_year: int, vehicle: Vehicle, residences: Sequence[Residence], settings: Settings
) -> str | tuple[str, ...]:
    """The city of residence on 1 Farvardin, or on the day the duty starts, or the first known city.

    Several where two cities claim the residence from the same day.

    Law: VAT law of 1400/03/02, art. 41: the owner's place of residence; the day is a setting (docs/law.md).
    """
    cities = residence_on(residences, to_gregorian(JalaliDate(year, *settings.residence_day)))
    if not cities and year == start_year:
        cities = residence_on(residences, vehicle.duty_starts)
    if not cities:
        earliest = min(residence.since or date.min for residence in residences)
        cities = tuple(
            sorted({r.municipality for r in residences if (r.since or date.min) == earliest}),
        )
    return cities[0] if len(cities) == 1 else cities


@dataclass(slots=True)
class _Years:
    """What the years of one assessment come to: those charged here, without a tariff, owed elsewhere, disputed."""

    lines: list[Line] = field(default_factory=list)
    totals: list[YearTotal] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    elsewhere: list[tuple[int, str]] = field(default_factory=list)
    disputed: list[int] = field(default_factory=list)
    by_instalments: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Work:
    """One assessment in the making: what is the same for all its years, and the notes that arise."""

    vehicle: Vehicle
    tariff: Tariff
    settings: Settings
    municipality: str
    start_year: int
    start_month: int
    path: tuple[str, ...]
    pauses: Sequence[PenaltyPause]
    agreements: Sequence[Agreement]
    _without_pollution: list[int] = field(default_factory=list)
    _gas_fuelled: list[int] = field(default_factory=list)
    _without_tariff: list[int] = field(default_factory=list)

    def years(
        self, years: Iterable[int], residences: Sequence[Residence], payments: Sequence[PaidYear], as_of: date
    ) -> _Years:
        """Each year's lines where this city charges it; a paid year as of the first day that it was paid on."""
        found = _Years()
        cities = _cities(residences, self.municipality)
        paid_by_year: dict[int, list[PaidYear]] = {}
        for payment in payments:
            paid_by_year.setdefault(payment.year, []).append(payment)
        for year in years:
            paid = paid_by_year.get(year, ())
            city = cities if isinstance(cities, str) else self._city(year, cities, found)
            if city != self.municipality and not any(p.municipality == self.municipality for p in paid):
                found.elsewhere.append((year, city))
                continue
            if not paid and (agreement := self._agreement(year)) is not None:
                found.by_instalments.append((year, agreement.agreement_id))
                continue
            lines = self.year_lines(year, paid[0].paid_on if paid else as_of)
            if paid:
                lines = self.settled(year, lines, paid)
            if lines is None:
                found.missing.append(year)
                continue
            found.lines += lines
            found.totals.append(YearTotal(year, sum([line.amount_rial for line in lines]), bool(paid)))
        return found

    def _agreement(self, year: int) -> Agreement | None:
        """The agreement under which the year is being paid."""
        return next((agreement for agreement in self.agreements if year in agreement.open_years), None)

    def _city(self, year: int, residences: Sequence[Residence], found: _Years) -> str:
        """The city of the year; of several that claim it, this one if it is among them."""
        city = _city_of_year(year, self.start_year, self.vehicle, residences, self.settings)
        if isinstance(city, str):
            return city
        found.disputed.append(year)
        return self.municipality if self.municipality in city else city[0]

    def year_lines(self, year: int, as_of: date) -> list[Line] | None:
        """The lines of a duty year as of a day; None where the tariff has no principal for it."""
        rows = self.tariff.year_rows(self.municipality, year, self.vehicle.vehicle_class)
        principal_row = rows.principal.first_for(self.vehicle, self.path)
        if principal_row is None:
            return None
        months = self._months_charged(year)
        principal = self._share(year, LineKind.PRINCIPAL, principal_row, rows, months)
        lines = [principal]
        if rows.surcharge:
            surcharge_row = rows.surcharge.first_for(self.vehicle, self.path)
            if surcharge_row is not None:
                self._add_surcharge(lines, year, surcharge_row, principal.amount_rial)
        pollution_row = rows.pollution.first_for(self.vehicle, self.path) if rows.pollution else None
        if pollution_row is None:
            self._without_pollution.append(year)
        else:
            lines.append(self._share(year, LineKind.POLLUTION, pollution_row, rows, months))
        if not rows.reliefs:
            self._add_penalty(lines, year, as_of)
            self._add_credits(lines, year)
            return lines
        reliefs = [
            row
            for row in rows.reliefs
            if row.as_of[0] <= as_of <= row.as_of[1] and self._is_for(row) and row.scope.holds_for(self.vehicle)
        ]
        for stage in ReliefStage:
            if stage is ReliefStage.PENALTY:
                self._add_penalty(lines, year, as_of)
            for relief in reliefs:
                if relief.stage is stage:
                    self._add_relief(lines, year, relief)
        self._add_credits(lines, year)
        return lines

    def _is_for(self, row: ReliefRow) -> bool:
        return row.scope.node is None or row.scope.node in self.path

    def settled(self, year: int, computed: list[Line] | None, paid: Sequence[PaidYear]) -> list[Line]:
        """The lines of a paid year, which sum to 0 whatever the tariff says today."""
        if computed is None:
            self._without_tariff.append(year)
        lines = computed or []
        assessed = sum(line.amount_rial for line in lines)
        total = sum(payment.amount_rial for payment in paid)  # a credit is among the lines computed
        if total != assessed:
            inputs = {"paid_rial": str(total), "assessed_rial": str(assessed)}
            lines.append(Line(year, LineKind.ADJUSTMENT, total - assessed, "paid-year", "", inputs))
        for payment in paid:
            paid_inputs: dict[str, Any] = {
                "payment_id": payment.payment_id,
                "paid_on_jalali": format_jalali(payment.paid_on),
            }
            if payment.municipality not in (None, self.municipality):
                paid_inputs["paid_to"] = payment.municipality
            lines.append(Line(year, LineKind.PAID, -payment.amount_rial, "paid-year", "", paid_inputs))
        return lines

    def notes(
        self,
        start_year: int,
        not_assessed_before: int | None,
        found: _Years,
    ) -> tuple[Note, ...]:
        """What the reader must know besides the amounts, in a fixed order."""
        notes: list[Note] = []
        if not_assessed_before is not None:
            years = tuple(range(start_year, not_assessed_before))
            notes.append(Note(NoteCode.NOT_ASSESSED, years, self.municipality))
        for code, told in ((NoteCode.ELSEWHERE, found.elsewhere), (NoteCode.INSTALMENTS, found.by_instalments)):
            for name in sorted({name for _, name in told}):
                notes.append(Note(code, tuple(year for year, of in told if of == name), name))
        for code, listed in (
            (NoteCode.RESIDENCE_DISPUTED, found.disputed),
            (NoteCode.GAS_FUELLED, self._gas_fuelled),
            (NoteCode.NO_POLLUTION_ROW, self._without_pollution),
            (NoteCode.PAID_WITHOUT_TARIFF, self._without_tariff),
        ):
            if listed:
                notes.append(Note(code, tuple(listed), self.municipality))
        return tuple(notes)

    def _months_charged(self, year: int) -> int:
        if year == self.start_year and self.settings.first_year is FirstYear.MONTHS_LEFT:
            return first_year_months(self.start_month)
        return MONTHS_IN_YEAR

    def _share(self, year: int, kind: LineKind, row: ShareRow, rows: YearRows, months: int) -> Line:
        inputs: dict[str, Any] = {}
        if months != MONTHS_IN_YEAR:
            inputs["months_charged"] = months
        if row.flat_rial is not None:
            amount = flat_rial(row.flat_rial, months)
            inputs["flat_rial"] = str(row.flat_rial)
            return _line(year, kind, amount, row.source, inputs)
        base = self.vehicle.base_price_rial
        base_row = rows.base_price.first_for(self.vehicle, self.path) if rows.base_price else None
        if base_row is None:
            inputs["base"] = "on_file"
        else:
            base = base_row.base_price_rial
            inputs["base"] = base_row.source.rule
        inputs["base_price_rial"] = str(base)
        rate_ppm = row.rate_ppm or 0
        inputs["rate_ppm"] = rate_ppm
        return _line(year, kind, principal_rial(base, rate_ppm, months), row.source, inputs)

    def _add_surcharge(self, lines: list[Line], year: int, row: SurchargeRow, principal: int) -> None:
        age = age_years(year, self.vehicle.model_year_jalali)
        percent = surcharge_percent(age, row.after_years, row.percent_per_year, row.max_percent)
        if percent == 0:
            return
        if self.vehicle.fuel in row.excepted_fuels:
            self._gas_fuelled.append(year)
            return
        inputs = {
            "principal_rial": str(principal),
            "model_year_jalali": self.vehicle.model_year_jalali,
            "age_years": age,
            "after_years": row.after_years,
            "percent_per_year": row.percent_per_year,
            "max_percent": row.max_percent,
            "percent": percent,
        }
        amount = surcharge_rial(principal, percent)
        lines.append(_line(year, LineKind.SURCHARGE, amount, row.source, inputs))

    def _add_relief(self, lines: list[Line], year: int, row: ReliefRow) -> None:
        left = sum(line.amount_rial for line in lines)
        whole = row.stage is ReliefStage.TOTAL
        of = left if whole else sum(line.amount_rial for line in lines if line.kind in row.of)
        if row.rate_ppm is None:
            amount = min(row.flat_rial or 0, max(of, 0), max(left, 0))
        else:
            amount = relief_rial(of, row.rate_ppm, left)
        if amount == 0:
            return
        inputs: dict[str, Any] = {"of_rial": str(of), "of": sorted(row.of)}
        if row.rate_ppm is None:
            inputs["flat_rial"] = str(row.flat_rial)
        else:
            inputs["rate_ppm"] = row.rate_ppm
        inputs |= {"reason_fa": row.reason_fa, "reason_en": row.reason_en}
        lines.append(_line(year, row.kind, -amount, row.source, inputs))

    def _add_penalty(self, lines: list[Line], year: int, as_of: date) -> None:
        settings = self.settings
        as_of_jalali = to_jalali(as_of)
        grace = settings.penalty_grace_months
        complete_only = settings.penalty_months is MonthCounting.COMPLETE
        months = penalty_months(year, as_of_jalali.year, as_of_jalali.month, grace, complete_only=complete_only)
        if months == 0:
            return
        base = 0
        for line in lines:
            if line.kind in settings.penalty_base or line.amount_rial < 0:
                base += line.amount_rial
        if base <= 0:
            return
        first = (year + 1) * MONTHS_IN_YEAR + grace
        last = first + months - 1
        before = self._penalty_line(year, first, last, as_of, base)
        credited = [agreement for agreement in self.agreements if agreement.credit_rial(year)]
        if not credited or before is None:
            lines += [before] if before is not None else []
            return
        # What instalments have paid counts towards the base first: after they broke off, the rest of it is late.
        resumed = month_number(max(agreement.until or as_of for agreement in credited)) + 1
        rest = max(base - sum(agreement.credit_rial(year) for agreement in credited), 0)
        earlier = self._penalty_line(year, first, min(last, resumed - 1), as_of, base)
        # The cap is the year's: what the earlier months took of it is not there for the later ones.
        taken_rial = earlier.amount_rial if earlier is not None else 0
        room_rial = room_under_cap_rial(taken_rial, base, settings.penalty_cap_ppm)
        later = None
        if rest and room_rial != 0:
            later = self._penalty_line(year, max(first, resumed), last, as_of, rest, room_rial)
        lines += [line for line in (earlier, later) if line is not None]

    def _penalty_line(
        self, year: int, first: int, last: int, as_of: date, base: int, room_rial: int | None = None
    ) -> Line | None:
        """The penalty of the months from `first` to `last` on this base; None where none of them counts.

        `room_rial` is what earlier months left of the year's cap; None is all of it.
        """
        settings = self.settings
        months = last - first + 1
        paused = self._paused(year, first, last) if self.pauses or self.agreements else ()
        if len(paused) >= months:
            return None
        segments, source = self._segments(first, last, paused)
        inputs: dict[str, Any] = {
            "of_rial": str(base),
            "from_jalali": f"{first // MONTHS_IN_YEAR}-{first % MONTHS_IN_YEAR + 1:02d}-01",
            "as_of_jalali": format_jalali(as_of),
            "months": months - len(paused),
            "periods": [{"months": count, "rate_ppm": rate_ppm} for count, rate_ppm in segments],
        }
        if settings.penalty_months is MonthCounting.COMPLETE:
            inputs["complete_months_only"] = True
        if paused:
            inputs["paused_months"] = len(paused)
            if any(year in agreement.years for agreement in self.agreements):
                inputs["by_instalments"] = True
        uncapped = penalty_rial(base, segments)
        amount = capped_rial(uncapped, base, settings.penalty_cap_ppm)
        if room_rial is not None:
            amount = min(amount, room_rial)
        if amount < uncapped:
            inputs["cap_ppm"] = settings.penalty_cap_ppm
        return _line(year, LineKind.PENALTY, amount, source, inputs)

    def _add_credits(self, lines: list[Line], year: int) -> None:
        """Takes off what instalments paid towards the year before they broke off, never more than is due."""
        for agreement in self.agreements:
            paid = agreement.credit_rial(year)
            left = sum(line.amount_rial for line in lines)
            if paid and agreement.until is not None and left > 0:
                inputs = {
                    "agreement_id": agreement.agreement_id,
                    "until_jalali": format_jalali(agreement.until),
                    "paid_rial": str(paid),
                }
                lines.append(Line(year, LineKind.CREDIT, -min(paid, left), "instalments", "", inputs))

    def _segments(self, first: int, last: int, paused: Sequence[int]) -> tuple[list[tuple[int, int]], Source]:
        """The months that count at each monthly rate, in order, and the source of those rates."""
        segments: list[tuple[int, int]] = []
        sources: list[Source] = []
        for row in self.tariff.penalties:
            low, high = max(first, row.months[0]), min(last, row.months[1])
            count = high - low + 1 - (sum(low <= month <= high for month in paused) if paused else 0)
            if count <= 0:
                continue
            sources.append(row.source)
            if segments and segments[-1][1] == row.rate_ppm:
                segments[-1] = (segments[-1][0] + count, row.rate_ppm)
            else:
                segments.append((count, row.rate_ppm))
        return segments, sources[0] if len(sources) == 1 else self.tariff.together(tuple(sources))

    def _paused(self, year: int, first: int, last: int) -> tuple[int, ...]:
        """The numbers of the months in which the penalty of the year stood still."""
        pauses = [*self.pauses, *(agreement.pause for agreement in self.agreements)]
        return tuple(
            month
            for month in range(first, last + 1)
            if any(pause.holds(year, month_start(month)) for pause in pauses)
        )


def _line(year: int, kind: LineKind, amount: int, source: Source, inputs: dict[str, Any]) -> Line:
    if source.demonstration:
        inputs["demonstration"] = True
    return Line(year, kind, amount, source.rule, source.law, inputs, source.law_fa)


def _rounding_line(before: int, rounding: int, settings: Settings) -> Line:
    inputs: dict[str, Any] = {
        "owed_before_rounding_rial": str(before),
        "unit_rial": str(settings.rounding_unit_rial),
    }
    source = settings.source
    return Line(None, LineKind.ROUNDING, rounding, source.rule, source.law, inputs, source.law_fa)


def _tariff_missing(vehicle: Vehicle, years: Sequence[int]) -> TariffMissing:
    name = vehicle.vehicle_class.value
    return TariffMissing(
        f"The tariff has no rate for class {name} in {years_text(years)}, so no amount can be given.",
        f"تعرفه برای گروه {name} در سال‌های {years_text_fa(years)} نرخی ندارد؛ مبلغی نمی‌توان گفت.",
        extra={"years": list(years), "vehicle_class": name},
    )


def _through_year_refused(through_year: int) -> InvalidInput:
    return InvalidInput(
        f"through_year {through_year} is not a Jalali year.",
        f"سال {through_year} سال شمسی درستی نیست.",
        errors=[
            FieldError(
                "/through_year",
                "year_invalid",
                f"A Jalali year from {FIRST_YEAR} to {LAST_YEAR}.",
                f"سالی شمسی از {FIRST_YEAR} تا {LAST_YEAR} لازم است.",
            )
        ],
    )
