from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.money import format_rial, parse_rial


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_amounts_survive_the_edge(amount_rial: int) -> None:
    assert parse_rial(format_rial(amount_rial)) == amount_rial


@pytest.mark.parametrize("text", ["", "1e3", "1.0", "+5", "۱۲", "01", "-", " 1", "1 ", "1_000", "9" * 400, "NaN"])
def test_what_is_no_whole_rial_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        parse_rial(text)
