from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.money import apply_ppm, ceil_to, format_rial, parse_rial, round_half_up


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_amounts_survive_the_edge(amount_rial: int) -> None:
    assert parse_rial(format_rial(amount_rial)) == amount_rial


@pytest.mark.parametrize("text", ["", "1e3", "1.0", "+5", "۱۲", "01", "-", " 1", "1 ", "1_000", "9" * 400, "NaN"])
def test_what_is_no_whole_rial_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        parse_rial(text)


@pytest.mark.parametrize(("amount", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("0.49", 0)])
def test_halves_go_away_from_zero(amount: str, rounded: int) -> None:
    assert round_half_up(Decimal(amount)) == rounded


def test_rate_of_one_per_mille_of_a_price_above_32_bits() -> None:
    assert apply_ppm(9_000_000_000, 1_500) == 13_500_000


@pytest.mark.parametrize(
    ("amount", "unit", "expected"), [(2_400_001, 1_000, 2_401_000), (0, 1_000, 0), (1_000, 1_000, 1_000)]
)
def test_ceiling_to_the_unit(amount: int, unit: int, expected: int) -> None:
    assert ceil_to(amount, unit) == expected
