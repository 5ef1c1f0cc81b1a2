from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from avarez.clock import from_rfc3339, next_tehran_midnight, tehran_today, to_rfc3339


@pytest.mark.parametrize(
    ("instant", "today", "midnight"),
    [
        (
            datetime(2026, 11, 23, 20, 29, 59, tzinfo=UTC),
            date(2026, 11, 23),
            datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
            date(2026, 11, 24),
            datetime(2026, 11, 24, 20, 30, tzinfo=UTC),
        ),
    ],
)
def test_the_day_turns_at_midnight_in_tehran(instant: datetime, today: date, midnight: datetime) -> None:
    assert tehran_today(instant) == today
    assert next_tehran_midnight(instant) == midnight


def test_instants_are_written_in_utc_and_read_back() -> None:
    instant = datetime(2026, 11, 23, 20, 30, 0, 123_000, tzinfo=UTC)
    assert to_rfc3339(instant) == "2026-11-23T20:30:00.123Z"
    assert from_rfc3339("2026-11-24T00:00:00.123+03:30") == instant


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        from_rfc3339("2026-01-01T00:00:00")
