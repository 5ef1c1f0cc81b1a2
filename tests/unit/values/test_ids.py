from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.ids import id_bytes, id_from_bytes, is_id, new_id

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)


def test_new_id_is_of_its_kind_and_no_other() -> None:
    identifier = new_id("py", NOW)
    assert is_id("py", identifier)
    assert not is_id("ce", identifier)
    assert not is_id("py", identifier[:-1])
    assert not is_id("py", identifier.upper())


def test_ids_sort_by_the_millisecond_whatever_the_noise() -> None:
    early = new_id("py", NOW, randomness=(1 << 132) - 1)
    late = new_id("py", NOW + timedelta(milliseconds=1), randomness=0)
    assert early < late


def test_ids_of_one_instant_differ() -> None:
    assert len({new_id("py", NOW) for _ in range(1_000)}) == 1_000


@given(st.integers(min_value=0, max_value=(1 << 132) - 1))
def test_bytes_and_back_is_the_same_id(noise: int) -> None:
    identifier = new_id("ce", NOW, randomness=noise)
    raw = id_bytes(identifier)
    assert len(raw) == 23
    assert id_from_bytes("ce", raw) == identifier


@pytest.mark.parametrize("raw", [b"", b"\xff" * 23, b"\x00" * 22, b"\x00" * 24])
def test_bytes_of_no_id_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not the bytes"):
        id_from_bytes("ce", raw)
