"""The engine beside the worked examples: residence, payments, exemptions, settings, missing tariffs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from avarez.assessment import (
    Assessment,
    Fuel,
    ModelCalendar,
    NoteCode,
    Origin,
    PaidYear,
    PenaltyPause,
    Residence,
    Tariff,
    Vehicle,
    VehicleClass,
    assess,
    load_tariff,
    tariff_from_document,
)
from avarez.assessment.rules import penalty_months
from avarez.assessment.tariff import Settings
from avarez.canonical import content_hash
from avarez.errors import InvalidInput, TariffMissing
from avarez.jalali import parse_jalali, to_jalali

TARIFFS = Path(__file__).resolve().parents[3] / "demo" / "tariffs"
TARIFF = load_tariff(TARIFFS)
AS_OF = date(2026, 11, 23)  # 1405-09-02
CAR = Vehicle(
    vehicle_class=VehicleClass.PASSENGER,
    origin=Origin.DOMESTIC,
    fuel=Fuel.PETROL,
    model_year=1401,
    model_calendar=ModelCalendar.JALALI,
    make="ایران خودرو",
    model="سمند LX",
    base_price_rial=2_400_000_000,
)
REFERENCE = {"law": "vat-1400", "article_fa": "ماده", "article_en": "art.", "reference": "a test"}


def with_rows(*rows: dict[str, Any], nodes: Sequence[dict[str, Any]] = ()) -> Tariff:
    document = {
        **TARIFF.document,
        "catalogue": list(nodes),
        "rows": [*TARIFF.document["rows"], *({**REFERENCE, **row} for row in rows)],
    }
    return tariff_from_document(document)


def amounts(answer: Assessment) -> list[tuple[int | None, str, int]]:
    return [(line.year, line.kind.value, line.amount_rial) for line in answer.lines]


def assessed(
    vehicle: Vehicle = CAR,
    *,
    residences: Sequence[Residence] = (),
    payments: Sequence[PaidYear] = (),
    tariff: Tariff = TARIFF,
    as_of: date = AS_OF,
    through_year: int | None = None,
    municipality: str = "TEHRAN",
    settings: Settings | None = None,
) -> Assessment:
    return assess(vehicle, residences, payments, tariff, as_of, through_year, municipality, settings=settings)


# --- which years ----------------------------------------------------------------------------------------


def test_through_year_defaults_to_the_jalali_year_of_as_of() -> None:
    assert assessed().through_year == 1405
    assert assessed(as_of=date(2026, 3, 20)).through_year == 1404
    assert assessed(as_of=date(2026, 3, 21)).through_year == 1405


def test_duty_starts_with_the_sale_or_the_model_year() -> None:
    assert [y.year for y in assessed(replace(CAR, sale_date=parse_jalali("1403-06-02"))).years] == [
        1403,
        1404,
        1405,
    ]
    assert assessed().years[0].year == 1401
    imported = replace(CAR, model_year=2023, model_calendar=ModelCalendar.GREGORIAN, origin=Origin.IMPORTED)
    assert imported.model_year_jalali == 1402
    # 1 January 2023 is 1401-10-11: the duty of 1401 is the first.
    assert assessed(imported).years[0].year == 1401


def test_years_before_the_first_duty_year_are_named_and_not_refused() -> None:
    answer = assessed(replace(CAR, model_year=1380))
    assert answer.years[0].year == 1395
    assert answer.not_assessed_before == 1395
    assert [note.years for note in answer.notes if note.code is NoteCode.NOT_ASSESSED] == [
        tuple(range(1380, 1395))
    ]
    assert assessed().not_assessed_before is None


def test_through_year_before_the_duty_starts_owes_nothing() -> None:
    answer = assessed(through_year=1400)
    assert (answer.lines, answer.years, answer.owed_rial) == ((), (), 0)


@pytest.mark.parametrize("year", [0, 1199, 1500, 10**9])
def test_through_year_that_is_no_jalali_year_is_refused(year: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        assessed(through_year=year)
    assert [fault.pointer for fault in refused.value.errors] == ["/through_year"]


def test_year_without_a_principal_is_refused_naming_all_years_and_the_class() -> None:
    with pytest.raises(TariffMissing) as refused:
        assessed(through_year=1407)
    assert refused.value.extra == {"years": [1406, 1407], "vehicle_class": "passenger"}
    assert "passenger in 1406-1407" in refused.value.detail_en
    assert "۱۴۰۶ تا ۱۴۰۷" in refused.value.detail_fa


def test_first_year_by_months_left_counts_the_begun_month() -> None:
    sold = replace(CAR, sale_date=parse_jalali("1405-06-31"))
    whole = assessed(sold)
    assert amounts(whole) == [(1405, "principal", 2_400_000)]
    settings = replace(TARIFF.settings("TEHRAN", AS_OF), first_year=type(Settings().first_year)("months_left"))
    part = assessed(sold, settings=settings)
    assert amounts(part) == [(1405, "principal", 1_400_000)]  # 2,400,000 × 7/12
    assert "× 7/12 of the year = 1,400,000 rial" in part.lines[0].text_en


# --- residence ------------------------------------------------------------------------------------------


def test_later_residence_elsewhere_closes_the_earlier_one_on_1_farvardin() -> None:
    moved = [
        Residence("TEHRAN", parse_jalali("1401-02-01")),
        Residence("SHIRAZ", parse_jalali("1403-01-02")),
    ]
    tehran, shiraz = assessed(residences=moved), assessed(residences=moved, municipality="SHIRAZ")
    # 1 Farvardin 1403 is still in Tehran; 1401 has nobody on 1 Farvardin, so the first known city.
    assert [total.year for total in tehran.years] == [1401, 1402, 1403]
    assert tehran.elsewhere == ((1404, "SHIRAZ"), (1405, "SHIRAZ"))
    assert [total.year for total in shiraz.years] == [1404, 1405]
    assert {total.year for total in tehran.years}.isdisjoint(total.year for total in shiraz.years)


def test_first_year_follows_the_residence_on_the_day_the_duty_starts() -> None:
    moved = [Residence("TEHRAN", parse_jalali("1401-02-01"), parse_jalali("1401-04-31")),
             Residence("SHIRAZ", parse_jalali("1401-05-01"))]  # fmt: skip
    sold = replace(CAR, sale_date=parse_jalali("1401-06-02"))
    assert assessed(sold, residences=moved).years == ()
    assert assessed(sold, residences=moved, municipality="SHIRAZ").years[0].year == 1401


def test_one_known_city_owns_every_year_as_the_first_known_one() -> None:
    late = [Residence("TEHRAN", parse_jalali("1404-05-01"))]
    assert [total.year for total in assessed(residences=late).years] == [1401, 1402, 1403, 1404, 1405]


def test_city_without_residence_is_owed_nothing() -> None:
    answer = assessed(residences=[Residence("SHIRAZ")])
    assert (answer.owed_rial, answer.lines) == (0, ())
    assert {city for _, city in answer.elsewhere} == {"SHIRAZ"}


def test_claims_of_the_same_day_by_two_cities_are_disputed() -> None:
    claims = [Residence("TEHRAN", parse_jalali("1401-01-01")), Residence("SHIRAZ", parse_jalali("1401-01-01"))]
    answer = assessed(residences=claims)
    assert answer.residence_disputed
    assert NoteCode.RESIDENCE_DISPUTED in [note.code for note in answer.notes]
    assert not assessed(residences=claims[:1]).residence_disputed


# --- payments -------------------------------------------------------------------------------------------


def test_paid_year_is_as_of_its_payment_and_sums_to_nothing() -> None:
    paid = PaidYear(1402, 2_496_000, parse_jalali("1403-02-31"), "py_1", "TEHRAN")
    answer = assessed(payments=[paid])
    lines_1402 = [entry for entry in amounts(answer) if entry[0] == 1402]
    assert lines_1402 == [
        (1402, "principal", 2_400_000),
        (1402, "penalty", 96_000),  # two months at the payment's day, not 33 as of today
        (1402, "paid", -2_496_000),
    ]
    assert [total.paid for total in answer.years] == [False, True, False, False, False]
    assert "py_1" in answer.lines[4].text_en


@pytest.mark.parametrize("amount_rial", [1, 2_400_000, 5_000_000])
def test_paid_year_that_costs_otherwise_today_is_settled_by_an_adjustment(amount_rial: int) -> None:
    answer = assessed(payments=[PaidYear(1402, amount_rial, parse_jalali("1403-02-31"), "py_1")])
    lines_1402 = [entry for entry in amounts(answer) if entry[0] == 1402]
    assert lines_1402[-2:] == [
        (1402, "adjustment", amount_rial - 2_496_000),
        (1402, "paid", -amount_rial),
    ]
    assert sum(amount for _, _, amount in lines_1402) == 0


def test_paid_year_without_a_tariff_is_no_reason_to_refuse() -> None:
    answer = assessed(payments=[PaidYear(1406, 777, AS_OF, "py_1")], through_year=1406)
    assert amounts(answer)[-2:] == [(1406, "adjustment", 777), (1406, "paid", -777)]
    assert NoteCode.PAID_WITHOUT_TARIFF in [note.code for note in answer.notes]


def test_year_paid_in_another_city_counts_as_paid() -> None:
    answer = assessed(payments=[PaidYear(1402, 2_400_000, parse_jalali("1402-05-01"), "py_1", "SHIRAZ")])
    paid = next(line for line in answer.lines if line.kind == "paid")
    assert paid.inputs["paid_to"] == "SHIRAZ"
    assert answer.years[1].paid


def test_everything_paid_owes_nothing_and_has_no_rounding() -> None:
    payments = [
        PaidYear(year, 2_400_001, parse_jalali(f"{year}-05-01"), f"py_{year}") for year in range(1401, 1406)
    ]
    answer = assessed(payments=payments)
    assert (answer.owed_rial, answer.rounding_rial, answer.owed_years) == (0, 0, ())
    assert answer.paid_through_year == 1405
    assert assessed(payments=payments[:2]).paid_through_year == 1402
    assert assessed(payments=payments[1:]).paid_through_year is None


# --- rows beside the principal --------------------------------------------------------------------------


def test_no_pollution_row_is_no_line_and_is_said() -> None:
    note = next(note for note in assessed().notes if note.code is NoteCode.NO_POLLUTION_ROW)
    assert note.years == (1401, 1402, 1403, 1404, 1405)
    assert "TEHRAN" in note.to_json()["text_en"]


def test_pollution_row_of_a_city_adds_a_line_that_the_penalty_counts() -> None:
    tariff = with_rows(
        {"id": "pollution-1404", "kind": "pollution", "duty_years": [1404, 1404], "places": ["TEHRAN"],
         "rate": "0.5/1000"}
    )  # fmt: skip
    sold = replace(CAR, sale_date=parse_jalali("1404-01-01"))
    assert amounts(assessed(sold, tariff=tariff, through_year=1404)) == [
        (1404, "principal", 2_400_000),
        (1404, "pollution", 1_200_000),
        (1404, "penalty", 648_000),  # 3,600,000 × 9 months × 2 %
    ]
    elsewhere = assessed(sold, tariff=tariff, municipality="SHIRAZ", through_year=1404)
    assert [kind for _, kind, _ in amounts(elsewhere)] == ["principal", "penalty"]


def test_exemption_comes_before_the_penalty_and_a_discount_on_the_penalty_after_it() -> None:
    tariff = with_rows(
        {"id": "exempt-electric", "kind": "exemption", "duty_years": [1401, 1405], "places": "national",
         "fuels": ["electric"], "of": ["principal"], "rate": "50/100",
         "reason_fa": "خودروی برقی", "reason_en": "electric vehicle"},
        {"id": "amnesty-1405", "kind": "discount", "duty_years": [1401, 1404], "places": ["TEHRAN"],
         "of": ["penalty"], "rate": "80/100", "as_of_from_jalali": "1405-09-01",
         "as_of_to_jalali": "1405-09-30", "reason_fa": "بخشودگی جریمه", "reason_en": "amnesty on penalties"},
    )  # fmt: skip
    electric = replace(CAR, fuel=Fuel.ELECTRIC, sale_date=parse_jalali("1404-01-01"))
    answer = assessed(electric, tariff=tariff, through_year=1404)
    assert amounts(answer) == [
        (1404, "principal", 2_400_000),
        (1404, "exemption", -1_200_000),
        (1404, "penalty", 216_000),  # 1,200,000 × 9 × 2 %
        (1404, "discount", -172_800),  # 216,000 × 80 %
        (None, "rounding", 800),
    ]
    assert "electric vehicle: 2,400,000 × 50 %, taken off = -1,200,000 rial" in answer.lines[1].text_en
    after = assessed(electric, tariff=tariff, through_year=1404, as_of=parse_jalali("1405-10-01"))
    assert [kind for _, kind, _ in amounts(after)] == ["principal", "exemption", "penalty"]


def test_reliefs_together_never_take_off_more_than_is_due() -> None:
    row = {"kind": "exemption", "duty_years": [1401, 1405], "places": "national", "of": ["principal"],
           "rate": "70/100", "reason_fa": "آزمون", "reason_en": "test"}  # fmt: skip
    tariff = with_rows({"id": "a", **row}, {"id": "b", **row})
    answer = assessed(tariff=tariff, through_year=1401)
    assert amounts(answer) == [
        (1401, "principal", 2_400_000),
        (1401, "exemption", -1_680_000),
        (1401, "exemption", -720_000),
    ]


CATALOGUE: list[dict[str, Any]] = [
    {"id": "ikco", "name_fa": "ایران خودرو", "name_en": "Iran Khodro", "matches": [{"make": "ایران خودرو"}]},
    {"id": "ikco.samand", "name_fa": "سمند", "name_en": "Samand"},
    {"id": "ikco.samand.lx", "name_fa": "سمند LX", "name_en": "Samand LX",
     "matches": [{"make": "ایران خودرو", "model": "سمند LX"}]},
]  # fmt: skip


def price(row_id: str, base_price_rial: str, **scope: Any) -> dict[str, Any]:
    return {"id": row_id, "kind": "base_price", "duty_years": [1405, 1405], "places": "national",
            "base_price_rial": base_price_rial, **scope}  # fmt: skip


def test_national_price_goes_before_the_price_on_file() -> None:
    tariff = with_rows(
        price("samand", "3000000000", node="ikco.samand", model_years=[1400, 1402]), nodes=CATALOGUE
    )
    sold = replace(CAR, sale_date=parse_jalali("1405-01-01"))
    line = assessed(sold, tariff=tariff).lines[0]
    assert (line.amount_rial, line.inputs["base"]) == (3_000_000, "samand")
    for other in (replace(sold, model="سمند EL"), replace(sold, model_year=1399)):
        assert assessed(other, tariff=tariff).lines[0].inputs["base"] == "on_file"


def test_deeper_catalogue_node_goes_before_the_one_above_and_any_node_before_none() -> None:
    tariff = with_rows(
        price("any", "1000000000"),
        price("make", "2000000000", node="ikco"),
        price("trim", "4000000000", node="ikco.samand.lx"),
        nodes=CATALOGUE,
    )
    sold = replace(CAR, sale_date=parse_jalali("1405-01-01"))
    assert assessed(sold, tariff=tariff).lines[0].inputs["base"] == "trim"
    assert assessed(replace(sold, model="دنا"), tariff=tariff).lines[0].inputs["base"] == "make"
    assert assessed(replace(sold, make="سایپا"), tariff=tariff).lines[0].inputs["base"] == "any"


def relief(row_id: str, *of: str, **members: Any) -> dict[str, Any]:
    return {"id": row_id, "kind": "discount", "duty_years": [1395, 1405], "places": "national", "of": list(of),
            "reason_fa": "نمونه", "reason_en": "example", **members}  # fmt: skip


def test_each_of_the_four_discounts_takes_off_what_it_is_for() -> None:
    old = replace(CAR, model_year=1380, sale_date=parse_jalali("1399-01-01"))
    at = parse_jalali("1400-06-05")
    plain = {line.kind.value: line.amount_rial for line in assessed(old, through_year=1399, as_of=at).lines}
    assert plain == {"principal": 2_400_000, "surcharge": 2_160_000, "penalty": 547_200, "rounding": 800}
    for of, taken in (("principal", 240_000), ("surcharge", 216_000)):
        tariff = with_rows(relief("r", of, rate="10/100"))
        lines = assessed(old, tariff=tariff, through_year=1399, as_of=at).lines
        assert [line.amount_rial for line in lines if line.kind.value == "discount"] == [-taken]
        penalty = next(line for line in lines if line.kind.value == "penalty")
        assert penalty.amount_rial == (4_560_000 - taken) * 12 // 100
    for of, taken in (("penalty", 54_720), ("total", 510_720)):
        tariff = with_rows(relief("r", of, rate="10/100"))
        lines = assessed(old, tariff=tariff, through_year=1399, as_of=at).lines
        assert [line.amount_rial for line in lines if line.kind.value == "discount"] == [-taken]
        assert "example" in next(line for line in lines if line.kind.value == "discount").text_en


def test_discount_of_a_fixed_amount_never_takes_more_than_is_left() -> None:
    tariff = with_rows(relief("r", "total", flat_rial="9000000000"))
    assert assessed(tariff=tariff).owed_rial == 0
    tariff = with_rows(relief("r", "principal", flat_rial="400000"))
    lines = assessed(tariff=tariff, through_year=1401, as_of=parse_jalali("1401-05-01")).lines
    assert [line.amount_rial for line in lines] == [2_400_000, -400_000]
    assert "۴۰۰٬۰۰۰" in lines[1].text_fa
    assert "400,000" in lines[1].text_en


def test_relief_is_for_the_vehicles_of_its_row_alone() -> None:
    tariff = with_rows(relief("electric", "principal", rate="100/100", fuels=["electric"]))
    assert assessed(tariff=tariff).owed_rial == assessed().owed_rial
    assert assessed(replace(CAR, fuel=Fuel.ELECTRIC), tariff=tariff).owed_rial == 0


def test_exemption_by_the_kind_of_plate_needs_a_plate_that_is_known() -> None:
    tariff = with_rows(
        {**relief("diplomats", "total", rate="100/100", plate_kinds=["diplomatic"]), "kind": "exemption"}
    )
    assert assessed(tariff=tariff).owed_rial == assessed().owed_rial
    diplomat = Vehicle.from_json({**CAR.to_json(), "plate_kind": "diplomatic"})
    assert assessed(diplomat, tariff=tariff).owed_rial == 0
    assert assessed(diplomat, tariff=tariff).trace()["vehicle"]["plate_kind"] == "diplomatic"


@pytest.mark.parametrize(
    ("members", "months", "amount"),
    [
        ({}, 9, 432_000),
        ({"penalty_months": "complete"}, 8, 384_000),
        ({"penalty_grace_months": 3}, 6, 288_000),
        ({"penalty_cap": "10/100"}, 9, 240_000),
        ({"penalty_cap": None}, 9, 432_000),
    ],
)
def test_penalty_rule_is_a_setting(members: dict[str, Any], months: int, amount: int) -> None:
    rows = [{**row, **members} if row["id"] == "setting-national" else row for row in TARIFF.document["rows"]]
    tariff = tariff_from_document({**TARIFF.document, "rows": rows})
    line = next(
        line for line in assessed(tariff=tariff).lines if line.year == 1404 and line.kind.value == "penalty"
    )
    assert (line.inputs["months"], line.amount_rial) == (months, amount)
    assert f"{months} " in line.text_en


def test_penalty_stands_still_while_an_objection_is_open() -> None:
    """Opened on 15 Mehr, decided on 10 Dey: Aban, Azar and Dey began meanwhile and do not count."""
    pause = PenaltyPause(parse_jalali("1405-07-15"), parse_jalali("1405-10-10"))
    at = parse_jalali("1405-11-02")
    paused = assess(CAR, (), (), TARIFF, at, 1404, "TEHRAN", pauses=[pause])
    line = [line for line in paused.lines if line.kind.value == "penalty"][-1]
    assert (line.year, line.inputs["months"], line.inputs["paused_months"]) == (1404, 8, 3)
    assert "objection" in line.text_en
    only_1403 = replace(pause, years=frozenset({1403}))
    again = assess(CAR, (), (), TARIFF, at, 1404, "TEHRAN", pauses=[only_1403])
    assert [line.inputs["months"] for line in again.lines if line.kind.value == "penalty"] == [47, 35, 20, 11]
    still = replace(pause, since=parse_jalali("1404-01-01"), until=None)
    assert not [
        line for line in assess(CAR, (), (), TARIFF, at, 1404, "TEHRAN", pauses=[still]).lines
        if line.year == 1404 and line.kind.value == "penalty"
    ]  # fmt: skip


def test_limitation_and_residence_day_and_model_year_offset_are_settings() -> None:
    assert [y.year for y in assessed(settings=Settings(limitation_years=2)).years] == [1403, 1404, 1405]
    moved = [Residence("TEHRAN", None), Residence("SHIRAZ", parse_jalali("1404-05-01"))]
    by_day = assessed(residences=moved, settings=Settings(residence_day=(6, 1)))
    assert [y.year for y in by_day.years] == [1401, 1402, 1403]
    assert [y.year for y in assessed(residences=moved).years] == [1401, 1402, 1403, 1404]
    imported = replace(CAR, model_year=2008, model_calendar=ModelCalendar.GREGORIAN)
    by_offset = assessed(imported, settings=Settings(first_duty_year=1395, gregorian_model_year_offset=622))
    ages = [line.inputs["age_years"] for line in by_offset.lines if line.kind.value == "surcharge"]
    assert ages == [11, 12, 13, 14]


def test_own_row_of_a_city_goes_before_the_national_one_for_local_classes() -> None:
    tariff = with_rows(
        {"id": "shiraz-truck", "kind": "principal", "duty_years": [1398, 1398], "places": ["SHIRAZ"],
         "classes": ["truck"], "flat_rial": "7000000"}
    )  # fmt: skip
    truck = replace(CAR, vehicle_class=VehicleClass.TRUCK, sale_date=parse_jalali("1398-01-01"))
    at = parse_jalali("1398-05-01")
    assert assessed(truck, tariff=tariff, municipality="SHIRAZ", as_of=at).owed_rial == 7_000_000
    assert assessed(truck, tariff=tariff, as_of=at).owed_rial == 2_400_000


def test_penalty_across_two_rates_counts_each_month_at_its_own() -> None:
    """Dey 1400 began before the new law's first day, 13 Dey, so it still counts at the earlier rate."""
    rows = [
        {**row, "monthly_rate": "1/100"} if row["id"] == "penalty-before-1400-10-13" else row
        for row in TARIFF.document["rows"]
    ]
    tariff = tariff_from_document({**TARIFF.document, "rows": rows})
    sold = replace(CAR, model_year=1399, sale_date=parse_jalali("1399-01-01"))
    penalty = assessed(sold, tariff=tariff, as_of=parse_jalali("1400-12-01"), through_year=1399).lines[1]
    assert penalty.inputs["periods"] == [{"months": 10, "rate_ppm": 10_000}, {"months": 2, "rate_ppm": 20_000}]
    assert penalty.amount_rial == 2_400_000 * (10 * 1 + 2 * 2) // 100
    assert "× (10 months × 1 % + 2 months × 2 %) = 336,000 rial" in penalty.text_en


def test_settings_of_a_city_replace_only_what_they_name() -> None:
    tariff = with_rows(
        {"id": "setting-shiraz", "kind": "setting", "places": ["SHIRAZ"], "as_of_from_jalali": "1405-01-01",
         "rounding_unit_rial": "10000"}
    )  # fmt: skip
    assert tariff.settings("SHIRAZ", AS_OF).rounding_unit_rial == 10_000
    assert tariff.settings("SHIRAZ", AS_OF).first_duty_year == 1395
    assert tariff.settings("SHIRAZ", parse_jalali("1404-12-29")).rounding_unit_rial == 1_000
    assert tariff.settings("TEHRAN", AS_OF).rounding_unit_rial == 1_000


# --- the trace ------------------------------------------------------------------------------------------


def test_trace_hash_can_be_recomputed_from_the_public_answer() -> None:
    answer = assessed(replace(CAR, model_year=1383, base_price_rial=2_400_000_001)).to_json()
    evidence = {
        "schema": 1,
        **{
            key: answer[key]
            for key in ("municipality", "as_of", "through_year", "tariff_version", "vehicle", "owed_rial")
        },
        "not_assessed_before": answer["not_assessed_before"],
        "lines": [
            {key: value for key, value in line.items() if not key.endswith(("_fa", "_en"))}
            for line in answer["lines"]
        ],
    }
    assert content_hash(evidence) == answer["trace_hash"]


def test_trace_hash_is_the_same_for_ever() -> None:
    """A change of this value means that old certificates no longer match a recomputation: do not update it
    without a new trace schema."""
    answer = assessed(replace(CAR, make="", model=""), through_year=1401, as_of=parse_jalali("1401-05-01"))
    assert {**answer.trace(), "tariff_version": ""} == {
        "schema": 1,
        "municipality": "TEHRAN",
        "as_of": "2022-07-23",
        "through_year": 1401,
        "tariff_version": "",
        "vehicle": {
            "vehicle_class": "passenger", "origin": "domestic", "fuel": "petrol", "model_year": 1401,
            "model_calendar": "jalali", "make": "", "model": "", "base_price_rial": "2400000000",
        },
        "lines": [
            {
                "year": 1401, "kind": "principal", "amount_rial": "2400000", "rule": "principal-1400-domestic",
                "law": "Permanent VAT law of 1400/03/02, art. 29(a)",
                "inputs": {"base": "on_file", "base_price_rial": "2400000000", "rate_ppm": 1000},
            }
        ],
        "owed_rial": "2400000",
        "not_assessed_before": None,
    }  # fmt: skip


def test_every_kind_of_line_has_texts_in_both_languages() -> None:
    tariff = with_rows(
        {"id": "p", "kind": "pollution", "duty_years": [1395, 1405], "places": "national", "flat_rial": "50001"},
        {"id": "e", "kind": "exemption", "duty_years": [1395, 1405], "places": "national", "of": ["principal"],
         "rate": "33/100", "reason_fa": "آزمون", "reason_en": "test"},
        {"id": "d", "kind": "discount", "duty_years": [1395, 1405], "places": "national", "of": ["penalty"],
         "rate": "33/100", "reason_fa": "آزمون", "reason_en": "test"},
    )  # fmt: skip
    answer = assessed(
        replace(CAR, model_year=1380, base_price_rial=1_277_723_422),
        tariff=tariff,
        payments=[PaidYear(1399, 5, AS_OF, "py_1", "SHIRAZ")],
    )
    assert {line.kind.value for line in answer.lines} == {
        "principal", "surcharge", "pollution", "exemption", "penalty", "discount", "adjustment", "paid",
        "rounding",
    }  # fmt: skip
    for line in answer.lines:
        assert f"{line.amount_rial:,} rial" in line.text_en
        assert "ریال" in line.text_fa
        assert not any("0" <= char <= "9" for char in line.text_fa.replace("py_1", ""))


def test_vehicle_facts_survive_json_and_faults_are_told_all_at_once() -> None:
    vehicle = replace(CAR, cylinders=4, displacement_cc=1761, sale_date=parse_jalali("1401-06-02"))
    assert Vehicle.from_json(vehicle.to_json()) == vehicle
    with pytest.raises(InvalidInput) as refused:
        Vehicle.from_json({"class": "spaceship", "fuel": "steam", "model_year": 13, "base_price_rial": "1e9",
                           "sale_date_jalali": "1404-12-30", "cylinders": True})  # fmt: skip
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [
        ("/class", "class_unknown"),
        ("/origin", "origin_unknown"),
        ("/fuel", "fuel_unknown"),
        ("/model_calendar", "model_calendar_unknown"),
        ("/model_year", "model_year_invalid"),
        ("/base_price_rial", "base_price_rial_invalid"),
        ("/cylinders", "cylinders_invalid"),
        ("/sale_date_jalali", "date_invalid"),
    ]


def test_importing_the_engine_is_light() -> None:
    """Cold starts pay for every module: none of these belongs to arithmetic."""
    heavy = "{'boto3', 'botocore', 'pydantic', 'hypothesis', 'cryptography'}"
    code = f"import sys, avarez.assessment; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("duty_year", "as_of", "months"),
    [
        (1395, "1405-09-02", 117),
        (1404, "1404-12-29", 0),  # within the duty year
        (1403, "1403-12-30", 0),
        (1404, "1405-01-01", 1),  # the first day of the next year begins a month
        (1404, "1405-01-31", 1),
        (1404, "1405-02-01", 2),
        (1403, "1404-12-29", 12),
        (1403, "1405-08-30", 20),
        (1406, "1405-09-02", 0),
    ],
)
def test_penalty_months_are_those_begun_after_the_duty_year(duty_year: int, as_of: str, months: int) -> None:
    year, month, _ = to_jalali(parse_jalali(as_of))
    assert penalty_months(duty_year, year, month) == months
