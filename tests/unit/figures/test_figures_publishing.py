"""Publications: exact to the rial, each on the one before, unmoved by what cannot be told or does not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez.figures.cells import CERTIFIED, COLLECTED, UNKNOWN, Books, shares_of
from avarez.figures.files import FORMATS, Commitment, FiguresUnsound, city_from, file_name, rows_of_csv
from avarez.journal import YearAmount
from functions.report.publishing import read_steps
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, CITY, City


def test_publication_equals_the_ledger_to_the_rial_and_names_its_commitment() -> None:
    tehran, shiraz = City(), City(municipality="SHIRAZ")
    tehran.days(20, a_day=30)
    shiraz.days(3, a_day=12)
    tehran.passes_on(BEGIN)
    desk = Desk([tehran, shiraz])
    done = desk.publish()
    assert (done.advanced, done.waiting, done.broken) == (["TEHRAN", "SHIRAZ"], [], [])
    for city, entry in zip((shiraz, tehran), desk.manifest()["cities"], strict=True):
        assert int(entry["totals"]["collected_rial"]) == city.ledger_rial() > 0
        assert entry["commitment"] == {"sequence": len(city.events), "hash": city.events[-1].hash}
        figures = desk.figures(city.municipality)
        payments = sum(count for key, (_, count) in figures.rows.items() if key.figure == COLLECTED)
        assert payments == entry["totals"]["payments"] == len(city.payments)
        assert any(of.kind == "refund_approved" for of in city.entries)
        certified = sum(count for key, (_, count) in figures.rows.items() if key.figure == CERTIFIED)
        assert certified == len(city.payments)


def test_second_publication_adds_the_step_and_keeps_what_stood() -> None:
    city = City()
    city.days(5, a_day=40)
    desk = Desk([city])
    desk.publish()
    before = desk.figures(CITY)
    city.days(2, a_day=40, at=BEGIN + timedelta(days=40))
    assert desk.publish().publication == desk.stood[1]
    after, manifest = desk.figures(CITY), desk.manifest()
    assert (manifest["number"], manifest["previous"]) == (2, desk.stood[0].manifest)
    assert after.steps[: len(before.steps)] == before.steps
    assert len(after.steps) == len(before.steps) + 2 == 7, "a step ends with its day"
    assert int(manifest["cities"][0]["totals"]["collected_rial"]) == city.ledger_rial()
    for key, (rial, count) in before.rows.items():
        assert key in after.rows
        assert after.rows[key][1] >= count
        assert after.rows[key] == (rial, count) or after.rows[key][1] > count


def test_run_without_news_publishes_nothing() -> None:
    city = City()
    city.days(3, a_day=20)
    desk = Desk([city])
    desk.publish()
    assert desk.publish().publication is None
    assert len(desk.stood) == 1


def test_same_events_give_the_same_bytes() -> None:
    desks = []
    for _ in range(2):
        city = City()
        city.days(4, a_day=25)
        desks.append(Desk([city]))
        desks[-1].publish()
    assert desks[0].files == desks[1].files


def test_city_with_too_few_vehicles_waits_with_its_commitment() -> None:
    city = City()
    for number in range(4):
        city.pays(at=BEGIN + timedelta(seconds=number))
    desk = Desk([city])
    assert (desk.publish().waiting, desk.stood) == ([CITY], [])
    city.pays()
    assert desk.publish().advanced == [CITY]
    assert int(desk.manifest()["cities"][0]["totals"]["collected_rial"]) == city.ledger_rial()


@pytest.mark.parametrize(
    ("changes", "channel"),
    [
        ({"created_by": "owner:1", "office": ""}, "online_owner"),
        ({"created_by": "clerk", "office": "OFFICE-1"}, "online_office"),
        ({"created_by": "partner", "office": ""}, "online"),
        ({"created_by": "clerk", "office": "OFFICE-1", "channel": "pos"}, "office"),
        ({"created_by": "owner:1", "office": "", "channel": "bill"}, "bank"),
    ],
    ids=repr,
)
def test_channel_says_who_opened_an_online_payment(changes: dict[str, Any], channel: str) -> None:
    city = City()
    city.pays(**{"channel": "gateway", **changes})
    assert {share.key.channel for share in shares_of(city.events[0].data, Books())} == {channel}


def test_few_of_a_door_are_told_as_online_and_no_less_finely() -> None:
    city = City()
    for number in range(13):
        door: dict[str, Any] = (
            {"created_by": "owner:1", "office": ""} if number < 4 else {"created_by": "clerk", "office": "O-1"}
        )
        paid: dict[str, Any] = {
            "years": (YearAmount(1405, 1_000_000),),
            "rounding_rial": 0,
            "amount_rial": 1_005_000,
        }
        city.pays(channel="gateway", vehicle_class="passenger", **paid, **door)
    desk = Desk([city])
    desk.publish()
    rows = [key for key in desk.figures(CITY).rows if key.figure == COLLECTED]
    assert [(key.channel, key.duty_year, key.vehicle_class) for key in rows] == [
        ("online", "1405", "passenger"),
    ]


ALIKE: dict[str, Any] = {
    "channel": "gateway",
    "vehicle_class": "passenger",
    "created_by": "owner:1",
    "office": "",
    "years": (YearAmount(1405, 1_000_000),),
    "rounding_rial": 0,
    "amount_rial": 1_005_000,
}


def collected(desk: Desk) -> dict[str, tuple[int, int]]:
    """Rial and payments of each month."""
    return {key.month: of for key, of in desk.figures(CITY).rows.items() if key.figure == COLLECTED}


def test_refunds_of_all_but_one_of_a_row_wait_until_five_others_pay() -> None:
    city = City()
    paid = [city.pays(**ALIKE) for _ in range(6)]
    desk = Desk([city])
    desk.publish()
    later = BEGIN + timedelta(days=40)
    for payment in paid[1:]:
        city.gives_back(payment, later)
    assert desk.publish().waiting == [CITY], "the row less these is the sixth"
    for _ in range(4):
        city.pays(at=later, **ALIKE)
    assert desk.publish().waiting == [CITY], "and with four others it is five"
    city.pays(at=later, **ALIKE)
    assert desk.publish().advanced == [CITY]
    assert collected(desk) == {"1405-01": (6_000_000, 6), "1405-02": (0, 5)}
    assert int(desk.manifest()["cities"][0]["totals"]["collected_rial"]) == city.ledger_rial() == 6_000_000


def test_what_is_too_small_borrows_from_a_row_that_keeps_five() -> None:
    city = City()
    for number in range(12):
        city.pays(wait_s=8 if number else 4_000, **ALIKE)
    city.pays(wait_s=4_000, **{**ALIKE, "vehicle_class": "bus"})
    desk = Desk([city])
    desk.publish()
    rows = {tuple(key): of for key, of in desk.figures(CITY).rows.items()}
    assert rows == {
        ("collected", "1405-01", "1405", "passenger", "online_owner", ""): (8_000_000, 8),
        ("collected", "1405-01", "1405", "merged", "online_owner", ""): (5_000_000, 5),
        ("certified", "1405-01", "", "", "", "1_minute"): (0, 8),
        ("certified", "1405-01", "", "", "", "merged"): (0, 5),
    }


def test_who_pays_again_what_was_given_back_does_not_count() -> None:
    city = City()
    paid = [city.pays(vehicle=f"ve_{number}", **ALIKE) for number in range(10)]
    for payment in paid[5:]:
        city.gives_back(payment, BEGIN + timedelta(hours=1))
    desk = Desk([city])
    assert desk.publish().advanced == [CITY]
    for number in range(5, 10):
        city.pays(at=BEGIN + timedelta(days=1), vehicle=f"ve_{number}", **ALIKE)
    assert desk.publish().waiting == [CITY], "who knows what they paid before knows what they pay now"
    desk.memories.clear()
    assert desk.publish().waiting == [CITY], "it follows from the events"
    for number in range(5, 10):
        city.pays(
            at=BEGIN + timedelta(days=1),
            vehicle=f"ve_{number}",
            **{**ALIKE, "years": (YearAmount(1404, 1_000_000),)},
        )
    assert desk.publish().advanced == [CITY], "another year of theirs is another amount"


def test_instalments_do_not_count() -> None:
    city = City()
    for _ in range(9):
        city.pays(agreement_id="ag_1", **ALIKE)
    desk = Desk([city])
    assert desk.publish().waiting == [CITY], "one may be as large as the one before"
    for _ in range(5):
        city.pays(**ALIKE)
    assert desk.publish().advanced == [CITY]
    assert collected(desk) == {"1405-01": (14_000_000, 14)}


def test_builder_that_lost_the_race_publishes_nothing() -> None:
    city = City()
    city.days(2, a_day=20)
    desk = Desk([city], taken=True)
    assert desk.publish().publication is None
    assert desk.stood == []


@pytest.mark.parametrize("member", ["occurred_at", "entry"])
def test_city_whose_chain_does_not_hold_stands_still_and_the_others_go_on(member: str) -> None:
    tehran, shiraz = City(), City(municipality="SHIRAZ")
    tehran.days(2, a_day=20)
    shiraz.days(2, a_day=20)
    event = tehran.events[6]
    tehran.events[6] = replace(event, data={**event.data, member: "2026-01-01T00:00:00.000Z"})
    desk = Desk([tehran, shiraz])
    done = desk.publish()
    assert (done.broken, done.advanced) == ([CITY], ["SHIRAZ"])
    assert [of["municipality"] for of in desk.manifest()["cities"]] == ["SHIRAZ"]


def test_step_ends_where_the_time_does_and_the_next_run_goes_on() -> None:
    city = City()
    city.days(30, a_day=40)
    assert len(city.events) > 2_000
    desk = Desk([city])
    reading = read_steps(desk, CITY, Commitment(), lambda: False)
    assert reading is not None
    assert (reading.read_to.sequence, reading.steps[-1].end.sequence) == (1_000, 1_000)
    assert reading.books.figures_rial == sum(step.end.rial for step in reading.steps)


def test_csv_says_what_json_says() -> None:
    city = City()
    city.days(10, a_day=30)
    desk = Desk([city])
    desk.publish()
    files = desk.manifest()["cities"][0]["files"]
    assert set(files) == set(FORMATS)
    content = desk.files[files["csv"]["name"]]
    assert content.startswith(b"\xef\xbb\xbfmunicipality,figure,month,")
    assert rows_of_csv(content) == desk.figures(CITY).rows
    for of in files.values():
        assert len(desk.files[of["name"]]) == of["bytes"]
        assert file_name(desk.files[of["name"]], of["name"].partition(".")[2]) == of["name"]
    assert not [line for line in content.decode("utf-8-sig").splitlines() if line[:1] in "=+@-"]


@pytest.mark.parametrize(
    "change",
    [b'"collected_rial":"1"', b'"collected_rial":', b'"schema":3', b'"columns":["x"]', b'"rows":[[]]'],
    ids=repr,
)
def test_file_that_was_changed_is_refused(change: bytes) -> None:
    city = City()
    city.days(2, a_day=20)
    desk = Desk([city])
    desk.publish()
    content = desk.files[desk.manifest()["cities"][0]["files"]["json"]["name"]]
    name = change.partition(b":")[0]
    changed = re.sub(re.escape(name) + rb':(\[\[.*\]\]|\[[^\]]*\]|"[^"]*"|\d+)', change, content, count=1)
    assert changed != content
    with pytest.raises(FiguresUnsound):
        city_from(changed)


def test_month_is_that_of_tehran_and_the_payment_counts_in_its_newest_year() -> None:
    city = City()
    late = BEGIN.replace(month=4, day=20, hour=20, minute=31)  # 00:01 on 1 Ordibehesht in Tehran
    payment = city.pays(at=late, channel="pos", vehicle_class="")
    books = Books()
    shares = list(shares_of(city.events[0].data, books))
    assert {share.key.month for share in shares} == {"1405-02"}
    assert {(share.key.channel, share.key.vehicle_class) for share in shares} == {("office", UNKNOWN)}
    assert sum(share.payments for share in shares) == 1
    assert max(shares, key=lambda share: share.key.duty_year).payments == 1
    assert sum(share.rial for share in shares) == payment.amount_rial - payment.fee_rial == books.balance_rial


def test_what_is_passed_on_to_the_city_is_in_the_books_and_in_no_figure() -> None:
    city = City()
    city.passes_on(BEGIN)
    books = Books()
    assert [share for event in city.events for share in shares_of(event.data, books)] == []
    assert (books.balance_rial, books.figures_rial) == (-4_001_000 - 3_002_000, 0)


def test_clearance_is_no_certificate_of_a_payment() -> None:
    city = City()
    city.pays()
    data = dict(city.events[1].data)
    assert len(list(shares_of(data, Books()))) == 1
    data["certificate"] = {**data["certificate"], "kind": "clearance"}
    assert list(shares_of(data, Books())) == []
