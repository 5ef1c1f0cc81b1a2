"""Every callback lost: what the sweeps find in time, and the ages that they tell meanwhile."""

from __future__ import annotations

import json
import os

import pytest

from functions.pay import sweep
from infra.resources.alarms import AGES
from simulation.drain import CERTIFIED_WITHIN, RESOLVED_WITHIN, SWEEP_S_MAX, drain

PAYMENTS = 10_000 if "AVAREZ_PROVE" in os.environ else 2_000


@pytest.mark.timeout(600)
def test_payments_whose_callbacks_are_all_lost_are_resolved_and_certified_in_time() -> None:
    """Half of them at a gateway that tells nothing without a callback: those end when its window does."""
    told = drain(PAYMENTS)
    print(json.dumps(told))
    assert told["paid"] == told["payments"] == PAYMENTS
    assert told["settled"] == told["expired_at_the_window"] == PAYMENTS // 2
    assert told["resolved_after_s_max"] <= RESOLVED_WITHIN.total_seconds()
    assert told["expired_after_the_window_s_max"] <= RESOLVED_WITHIN.total_seconds()
    assert told["certified_after_s_max"] <= CERTIFIED_WITHIN.total_seconds()
    assert told["open"] == told["settled_without_certificate"] == 0
    assert told["drain_per_s"] >= 2 * told["arrivals_per_s"]


def test_ages_ring_no_alarm_while_everything_is_in_time() -> None:
    told = drain(300)
    assert 0 < told["oldest_unresolved_s"] < AGES["payment_oldest_unresolved_s"][1]
    assert 0 < told["oldest_waiting_for_certificate_s"] < AGES["certificate_oldest_waiting_s"][1]


def test_too_many_for_one_sweep_show_as_age() -> None:
    """Sixteen times as many as one sweep's minute takes: rows are left, and the age says so."""
    told = drain(2_500, per_s=120.0)
    assert told["rows_left_by_a_run"] > 0 or told["resolved_after_s_max"] > RESOLVED_WITHIN.total_seconds()
    assert told["oldest_unresolved_s"] > RESOLVED_WITHIN.total_seconds()
    assert told["settled_without_certificate"] == told["open"] == 0


def test_sweep_has_the_time_that_the_drain_gives_it() -> None:
    assert sweep.RUN_SECONDS_MAX == SWEEP_S_MAX
