"""The columnar engine says of every vehicle, year and kind of line exactly what the scalar engine says."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.assessment import LineKind, Tariff, Vehicle, assess, load_tariff
from avarez.assessment.rules import divide_half_up
from avarez.errors import TariffMissing
from avarez.fleet.engine import KINDS, BlockAssessment, Question, assess_block
from avarez.fleet.exact import times_ratio
from avarez.fleet.fleet import Fleet
from tests.properties.fleets import ROOT, random_vehicles, tariff_with_everything

AS_OF = date(2026, 11, 23)  # 1405-09-02
PROVING = "AVAREZ_PROVE" in os.environ
COUNT = 1_000_000 if PROVING else 8_000
BLOCK = 20_000


def differences(
    vehicles: list[Vehicle], done: BlockAssessment, tariff: Tariff, city: str, as_of: date
) -> list[str]:
    """In words, each amount of a vehicle in which the two engines differ."""
    found = []
    for position, vehicle in enumerate(vehicles):
        try:
            answer = assess(vehicle, (), (), tariff, as_of, 1405, city)
        except TariffMissing as missing:
            said = [year for year, mask in done.missing_years.items() if mask[position]]
            if said != missing.extra["years"]:
                found.append(f"{vehicle}: missing {said}, not {missing.extra['years']}")
            continue
        if done.missing[position]:
            found.append(f"{vehicle}: a tariff is missing to the columns alone")
        scalar: Counter[tuple[int | None, LineKind]] = Counter()
        for line in answer.lines:
            scalar[line.year, line.kind] += line.amount_rial
        for year in done.years:
            for kind in KINDS:
                column = done.amounts.get((year, kind))
                amount = 0 if column is None else int(column[position])
                if amount != scalar[year, kind]:
                    found.append(f"{vehicle}: {year} {kind} {amount}, not {scalar[year, kind]}")
        owed = int(done.owed_rial[position]), int(done.rounding_rial[position])
        if owed != (answer.owed_rial, answer.rounding_rial):
            found.append(f"{vehicle}: owed, rounding {owed}, not {answer.owed_rial}, {answer.rounding_rial}")
    return found


@pytest.mark.timeout(3_600 if PROVING else 300)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"first_year": "months_left", "penalty_cap": "43.21/100", "penalty_base": ["principal"]},
        {"penalty_months": "complete", "penalty_grace_months": 2, "limitation_years": 7,
         "gregorian_model_year_offset": 622, "rounding_unit_rial": "10"},
    ],
)  # fmt: skip
def test_columns_and_lines_agree_on_random_vehicles_to_the_rial(settings: dict[str, Any]) -> None:
    tariff = tariff_with_everything(**settings)
    seed = len(str(settings))
    for start in range(0, COUNT // 3, BLOCK):
        vehicles = random_vehicles(min(BLOCK, COUNT // 3 - start), seed + start)
        done = assess_block(Fleet.of(vehicles), Question.of(tariff, "SHIRAZ", AS_OF, 1405))
        assert differences(vehicles, done, tariff, "SHIRAZ", AS_OF)[:5] == []
    assert {kind for _, kind in done.amounts} == set(KINDS)
    assert sum(1 for column in done.amounts.values() if column.any()) > 40


def test_a_year_without_a_principal_is_missing_to_both() -> None:
    tariff = load_tariff(ROOT / "demo" / "tariffs")
    vehicles = random_vehicles(300, 1)
    question = Question.of(tariff, "TEHRAN", AS_OF, 1407)
    done = assess_block(Fleet.of(vehicles), question)
    assert done.missing.all()
    assert not done.owed_rial.any()
    assert sorted(done.missing_years) == [1406, 1407]


def test_more_rows_than_are_tried_one_by_one_are_looked_up_by_vehicle(monkeypatch: pytest.MonkeyPatch) -> None:
    tariff, vehicles = tariff_with_everything(), random_vehicles(1_000, 7)
    question = Question.of(tariff, "SHIRAZ", AS_OF, 1405)
    one_by_one = assess_block(Fleet.of(vehicles), question).owed_rial
    monkeypatch.setattr("avarez.fleet.engine.ROWS_TRIED_MAX", 0)
    assert (assess_block(Fleet.of(vehicles), question).owed_rial == one_by_one).all()


def test_years_that_are_not_charged_here_have_no_amount() -> None:
    tariff, vehicles = tariff_with_everything(), random_vehicles(500, 9)
    fleet = Fleet.of(vehicles)
    question = Question.of(tariff, "SHIRAZ", AS_OF, 1405)
    whole, part = (assess_block(fleet, question, charged=charged) for charged in
                   (None, {year: np.zeros(500, dtype=bool) for year in range(1395, 1405)}))  # fmt: skip
    assert (part.year_totals[1405] == whole.year_totals[1405]).all()
    assert 0 < int(part.owed_rial.sum()) < int(whole.owed_rial.sum())


@given(
    st.lists(st.integers(0, 10**15), min_size=1, max_size=20),
    st.one_of(st.integers(0, 10**7), st.integers(0, 10**12)),
    st.sampled_from([100, 12, 1_000_000, 12_000_000]),
)
def test_ratio_of_columns_rounds_as_the_rules_do_at_any_size(amounts: list[int], factor: int, below: int) -> None:
    wanted = [divide_half_up(amount * factor, below) for amount in amounts]
    if max(wanted) >= 2**63:
        with pytest.raises(OverflowError):
            times_ratio(np.asarray(amounts), factor, below)
        return
    assert times_ratio(np.asarray(amounts), factor, below).tolist() == wanted
    assert times_ratio(np.asarray(amounts), np.full(len(amounts), factor), below).tolist() == wanted
