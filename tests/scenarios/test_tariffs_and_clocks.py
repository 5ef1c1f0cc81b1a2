"""Scenarios 16 to 18: the tariff changes under a quote, somebody rewrites the past, clocks go wrong."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez import ids
from avarez.assessment import Vehicle, assess
from avarez.assessment.review import review
from avarez.assessment.tariff import load_tariff
from avarez.assessment.tariff.files import merge
from avarez.assessment.tariff.table import Tariff
from avarez.certificates import cose
from avarez.certificates import payload as payloads
from avarez.clock import next_tehran_midnight, tehran_today, to_rfc3339
from avarez.errors import QuoteExpired, QuoteNotPayable, TariffInvalid
from avarez.ids import new_id
from avarez.jalali import parse_jalali, to_jalali
from avarez.journal import YearAmount
from avarez.municipalities import is_municipality
from functions.certify.certificates.record import payload_of
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.records import Quote
from functions.pay.rules.states import Status
from simulation.certificates import MemoryCertificates
from tests.unit.payments.payments_fake import CLERK, World, quote, world
from tests.unit.payments.payments_steps import callback, open_one

ROOT = Path(__file__).resolve().parents[2]
TARIFFS = ROOT / "demo" / "tariffs"
PUBLISHED = load_tariff(TARIFFS)
ZONES = ("UTC", "Asia/Tehran")


# --- 16: the tariff changes between quote and payment ---------------------------------------------------


def at_the_counter(w: World, made: Quote, number: int) -> Status | type[Exception]:
    """What becomes of a quote that is brought to the counter now."""
    asked = Asked((made.assessment_id,), "gateway", "", "")
    try:
        opened = create(w.desk, principal=CLERK, key=f"k{number}", asked=asked)
    except (QuoteExpired, QuoteNotPayable) as refusal:
        return type(refusal)
    payment = w.store.payments[opened.payment_id]
    assert payment.amount_rial == made.owed_rial  # whatever the tariff says by now
    assert payment.tariff_version == made.tariff_version
    w.gateway.pay(payment.token)
    after = callback(w, payment, amount=str(payment.amount_rial))
    assert after is not None
    return after.status


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_scenario_16_quote_is_honoured_until_it_expires_though_the_tariff_switches_at_any_moment(
    seed: int,
) -> None:
    """Forty quotes over some days; the tariff switches at random ticks; each is paid some hours later."""
    random = Random(seed)
    w = world()
    version, price_rial = "a" * 64, 1_000_000
    asked_again: list[Quote] = []

    def reassess(stale: Quote, now: datetime, username: str) -> dict[str, Any]:
        asked_again.append(stale)
        return {"owed_rial": str(price_rial), "tariff_version": version}

    w = replace(w, desk=replace(w.desk, reassess=reassess))
    for number in range(1, 41):
        w.clock.advance(timedelta(minutes=random.randrange(1, 90)))
        made = quote(
            w.clock,
            number,
            vehicle_id=f"ve_{number}",
            as_of=tehran_today(w.clock.now()),
            expires_at=next_tehran_midnight(w.clock.now()),
            years=(YearAmount(1404, price_rial),),
            rounding_rial=0,
            owed_rial=price_rial,
            tariff_version=version,
        )
        w.store.quotes[made.assessment_id] = made
        if random.random() < 0.3:
            version, price_rial = f"{random.randrange(10**6):064d}", price_rial + 1_000
        w.clock.advance(timedelta(minutes=random.randrange(0, 600)))
        expected = QuoteExpired if w.clock.now() >= made.expires_at else Status.SETTLED
        asked_before = len(asked_again)
        assert at_the_counter(w, made, number) == expected
        assert len(asked_again) - asked_before == (1 if expected is QuoteExpired else 0)
        assert w.store.quotes[made.assessment_id] == made  # a quote never changes


def test_scenario_16_expired_quote_answers_409_with_a_fresh_one() -> None:
    w = world()
    fresh = {"assessment_id": "as_new", "owed_rial": "1300000"}
    w = replace(w, desk=replace(w.desk, reassess=lambda stale, now, username: fresh))
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    w.clock.instant = made.expires_at
    with pytest.raises(QuoteExpired) as refusal:
        create(w.desk, principal=CLERK, key="k", asked=Asked((made.assessment_id,), "gateway", "", ""))
    assert (refusal.value.status, refusal.value.extra["assessment"]) == (409, fresh)
    assert w.store.payments == {}


# --- 17: somebody publishes the past --------------------------------------------------------------------

Files = dict[str, dict[str, Any]]
TODAY = date(2026, 11, 23)
VEHICLE = {
    "vehicle_class": "passenger", "origin": "domestic", "fuel": "petrol", "model_year": 1400,
    "model_calendar": "jalali", "make": "x", "model": "y", "base_price_rial": "2400000000",
}  # fmt: skip


def demo_files() -> Files:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(TARIFFS.glob("*.json"))}


def findings(files: Files) -> set[str]:
    """The rules by which a publication of these files would be refused today; empty when it would not."""
    draft = Tariff(*merge(files))
    return {
        found.rule for found in review(draft, published=PUBLISHED, as_of=TODAY, is_municipality=is_municipality)
    }


def split_at(files: Files, year: int, rate: str) -> None:
    """The domestic rate of one published year becomes another one; before and after it stays as it was."""
    rows = files["principal-1400.json"]["rows"]
    row = next(row for row in rows if row["id"] == "principal-1400-domestic")
    first, last = row["duty_years"]
    if year > first:
        rows.append({**row, "id": "before", "duty_years": [first, year - 1]})
    if year < last:
        rows.append({**row, "id": "after", "duty_years": [year + 1, last]})
    row.update(id="domestic-changed", duty_years=[year, year], rate=rate)


@settings(max_examples=12, deadline=None)
@given(year=st.integers(1401, 1405), mills=st.integers(2, 9))
def test_scenario_17_rate_of_a_published_year_is_refused_and_old_assessments_stand(year: int, mills: int) -> None:
    def assessed(tariff: Any) -> tuple[int, str]:
        made = assess(Vehicle.from_json(VEHICLE), (), (), tariff, TODAY, 1405, "SHIRAZ")
        return made.owed_rial, made.trace_hash

    before = assessed(PUBLISHED)
    files = demo_files()
    split_at(files, year, f"{mills}/1000")
    assert "retroactive" in findings(files)
    assert assessed(load_tariff(TARIFFS)) == before  # what was refused changed nothing

    law = {"law": "vat-1400", "article_fa": "ماده", "article_en": "art.", "reference": "a judgment"}
    every_year = {"id": "adj", "duty_years": [1401, 1405], **law}
    files["new.json"] = {"schema": 1, "rows": [], "adjustments": [every_year]}
    assert "retroactive" not in findings(files)  # an explicit adjustment, which names its law


@settings(max_examples=8, deadline=None)
@given(first=st.integers(1401, 1405), kind=st.sampled_from(["domestic", "imported"]))
def test_scenario_17_row_that_overlaps_another_is_refused(first: int, kind: str) -> None:
    files = demo_files()
    rows = files["principal-1400.json"]["rows"]
    row = next(row for row in rows if row["id"] == f"principal-1400-{kind}")
    rows.append({**copy.deepcopy(row), "id": "again", "duty_years": [first, 1405]})
    with pytest.raises(TariffInvalid) as refused:
        Tariff(*merge(files))
    assert {fault.code for fault in refused.value.errors} == {"overlap"}


# --- 18: clocks -----------------------------------------------------------------------------------------


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's time zone, for the length of a test."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


DAY_ENDS = [
    # the last instant of a Jalali year in Tehran, a leap one and two common ones
    ("1403-12-30", datetime(2025, 3, 20, 20, 29, 59, 999000, tzinfo=UTC)),
    ("1404-12-29", datetime(2026, 3, 20, 20, 29, 59, 999000, tzinfo=UTC)),
    ("1405-12-29", datetime(2027, 3, 20, 20, 29, 59, 999000, tzinfo=UTC)),
]


@pytest.mark.parametrize("zone", ZONES, indirect=True)
@pytest.mark.parametrize(("last_day", "instant"), DAY_ENDS)
@pytest.mark.usefixtures("zone")
def test_scenario_18_years_end_is_that_of_tehran_whatever_the_machines_zone(
    last_day: str, instant: datetime
) -> None:
    """Books, quotes and years turn with midnight in Tehran: the last millisecond and the first one."""
    for now, day in (
        (instant, parse_jalali(last_day)),
        (instant + timedelta(milliseconds=1), parse_jalali(last_day) + timedelta(days=1)),
    ):
        w = world()
        w.clock.instant = now
        payment = open_one(w, as_of=day, expires_at=next_tehran_midnight(now))
        w.gateway.pay(payment.token)
        callback(w, payment)
        assert w.store.journal[0].day == day.isoformat()
        assert tehran_today(now) == day
        assert to_jalali(tehran_today(now)).year == int(last_day[:4]) + (1 if now > instant else 0)
    late = world()
    late.clock.instant = instant + timedelta(milliseconds=1)
    with pytest.raises(QuoteExpired):
        open_one(late, as_of=parse_jalali(last_day), expires_at=next_tehran_midnight(instant))


@pytest.mark.parametrize(
    "skew",
    [timedelta(seconds=1), timedelta(minutes=4, seconds=59), timedelta(minutes=5, seconds=1), timedelta(days=1)],
    ids=str,
)
@pytest.mark.parametrize("direction", [-1, 1])
def test_scenario_18_clock_that_jumps_in_the_middle_settles_once(skew: timedelta, direction: int) -> None:
    """Between the page and the callback; nothing is paid twice, and the hash of every entry stands."""
    w = world()
    w.gateway.can_inquire_without_callback = True
    payment = open_one(w)
    w.gateway.pay(payment.token)
    verify_window, w.gateway.verify_window = (
        w.gateway.verify_window,
        timedelta(days=3),
    )  # the gateway's own clock is right
    w.clock.advance(skew * direction)
    callback(w, payment)
    w.clock.advance(skew * -direction)
    for _ in range(3):
        callback(w, payment)
        w.clock.advance(timedelta(minutes=1))
    w.gateway.verify_window = verify_window
    late = direction > 0 and skew > timedelta(minutes=32)
    settled = w.store.payments[payment.payment_id].status is Status.SETTLED
    assert settled
    assert len(w.store.journal) == len(w.store.certificates) == 1
    assert w.store.events(payment)[-1].before is w.store.events(payment)[-1].after or not late


def test_scenario_18_ids_of_a_process_never_go_back_though_its_clock_does() -> None:
    now = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    for jump in (1, 299, 301, 86_400):
        with ids.drawn_from(Random(1).getrandbits):
            made = [
                new_id("py", now),
                new_id("py", now + timedelta(seconds=1)),
                new_id("py", now - timedelta(seconds=jump)),  # set back
                new_id("py", now + timedelta(seconds=1)),
                new_id("py", now + timedelta(seconds=2)),
            ]
        assert made == sorted(made)
        assert len(set(made)) == len(made)


IN_A_ZONE = """
import json, sys
sys.path[:0] = sys.argv[1:]
from tests.scenarios.test_tariffs_and_clocks import what_is_signed
print(json.dumps(what_is_signed()))
"""


def what_is_signed() -> dict[str, str]:
    """The bytes under signatures and hashes of one payment at a fixed instant just before a year's end."""
    with ids.drawn_from(Random(7).getrandbits):
        w = world()
        w.clock.instant = DAY_ENDS[0][1]
        payment = open_one(w, as_of=parse_jalali("1403-12-30"), expires_at=next_tehran_midnight(w.clock.now()))
        w.gateway.pay(payment.token)
        callback(w, payment)
        certificates = MemoryCertificates(w.store)
        (certificate_id,) = w.store.certificates
        record = certificates.find(certificate_id)
        assert record is not None
        placed = certificates.take_place(record, 77)
        assert placed is not None
        signed = payloads.encode(payload_of(placed, issued_at=w.clock.now()))
        return {
            "certificate": cose.signing_input(cose.protected_header(b"12345678"), signed).hex(),
            "entry": w.store.journal[0].content_hash,
            "day": w.store.journal[0].day,
            "at": to_rfc3339(w.clock.now()),
            "id": payment.payment_id,
        }


def test_scenario_18_signed_bytes_are_the_same_in_both_zones() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", IN_A_ZONE, str(ROOT), str(ROOT / "layers" / "common")],
            env={"TZ": zone, "PATH": os.environ["PATH"]},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ZONES
    ]
    assert told[0] == told[1]
    assert json.loads(told[0])["day"] == "2025-03-20"
