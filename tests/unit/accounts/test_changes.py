"""A city's account: two people, a cooling-off period, one answer for every instant; in memory and in the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from avarez.changes import change_table
from avarez.changes.change import COOLING_OFF, LAST_CALL, Change, Status, Subject, in_force
from avarez.changes.change_table import ChangeTable
from avarez.clock import FixedClock
from avarez.dynamo import Table
from avarez.errors import (
    ChangeConflict,
    ChangeNotFound,
    ChangeOpen,
    InvalidInput,
    SecondPersonRequired,
    TransactionRefused,
)
from avarez.events.log import waiting_from
from functions.pay.accounts.deciding import ChangeStore, Desk
from functions.pay.accounts.rules import Account
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.accounts import changes_fake
from tests.unit.accounts.changes_fake import Changes

START = datetime(2026, 11, 27, 8, 0, 0, 123_456, tzinfo=UTC)
CITY = "QOM"
FIRST, SECOND, THIRD = "IR580540105180021273113007", "IR062960000000100324200001", "IR820540102680020817909002"
MINUTE = timedelta(minutes=1)


@dataclass
class World:
    store: ChangeStore
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    settings: dict[str, Any] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(self.store, lambda _: self.settings, self.clock, self.reports.append)

    def propose(self, iban: str, by: str = "one") -> Change:
        return self.desk.propose_account(CITY, iban=iban, holder="City of Qom", reason="a new bank", by=by)

    def change(self, iban: str) -> Change:
        made = self.propose(iban)
        self.clock.advance(MINUTE)
        return self.desk.approve(CITY, made.change_id, by="two")

    def now(self) -> Account | None:
        return self.at(self.clock.now())

    def at(self, instant: datetime) -> Account | None:
        return self.desk.account_in_force(CITY, instant)

    def iban(self) -> str:
        found = self.now()
        return found.iban if found else ""


@pytest.fixture(params=["memory", "table"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "memory":
        yield World(Changes())
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        _, ledger = make_tables()
        yield World(ChangeTable(ledger))


def test_a_first_account_is_in_force_once_a_second_person_approved_it(world: World) -> None:
    made = world.propose("ir58 0540 1051 8002 1273 1130 07")
    assert (made.status, made.initial, world.now()) == (Status.PROPOSED, True, None)
    with pytest.raises(SecondPersonRequired):
        world.desk.approve(CITY, made.change_id, by="one")
    after = world.desk.approve(CITY, made.change_id, by="two")
    assert (after.status, world.iban(), world.reports) == (Status.IN_FORCE, FIRST, [])
    assert world.store.open(CITY, Subject.ACCOUNT) is None
    assert world.at(START - MINUTE) is None


def test_a_change_cools_off_while_the_account_before_it_goes_on(world: World) -> None:
    world.change(FIRST)
    after = world.change(SECOND)
    assert (after.status, world.iban(), world.reports) == (Status.APPROVED, FIRST, ["account_change_approved"])
    assert after.in_force_from is not None
    assert world.desk.settle_due() == 0
    world.clock.instant = after.in_force_from - timedelta(milliseconds=1)
    assert world.iban() == FIRST
    world.clock.instant = after.in_force_from
    assert world.iban() == SECOND, "by the clock alone, before anybody wrote it down"
    assert (world.desk.settle_due(), world.desk.settle_due()) == (1, 0)
    told = world.desk.find(CITY, after.change_id)
    assert [step.what for step in told.steps] == [Status.PROPOSED, Status.APPROVED, Status.IN_FORCE]
    assert (told.in_force_from, world.store.open(CITY, Subject.ACCOUNT)) == (after.in_force_from, None)
    earlier = world.at(after.in_force_from - MINUTE)
    assert earlier is not None
    assert earlier.iban == FIRST, "the past stays what it was"


def test_any_officer_calls_a_change_off_until_a_minute_before_its_end(world: World) -> None:
    world.change(FIRST)
    after = world.change(SECOND)
    assert after.in_force_from == world.clock.now().replace(microsecond=123_000) + COOLING_OFF
    world.clock.instant = after.in_force_from - LAST_CALL + timedelta(milliseconds=1)
    with pytest.raises(ChangeConflict):
        world.desk.cancel(CITY, after.change_id, by="three", reason="not ours")
    world.clock.instant = after.in_force_from - LAST_CALL
    told = world.desk.cancel(CITY, after.change_id, by="three", reason="not ours")
    assert (told.status, told.steps[-1].by) == (Status.CANCELLED, "three")
    world.clock.advance(30 * COOLING_OFF)
    assert (world.desk.settle_due(), world.iban()) == (0, FIRST)
    assert world.reports == ["account_change_approved", "account_change_cancelled"]
    with pytest.raises(ChangeConflict):
        world.desk.approve(CITY, after.change_id, by="two")


def test_one_change_is_open_at_a_time(world: World) -> None:
    first = world.propose(FIRST)
    with pytest.raises(ChangeOpen):
        world.propose(SECOND, by="two")
    world.desk.cancel(CITY, first.change_id, by="one", reason="a slip of the pen")
    world.propose(SECOND, by="two")


def test_a_decision_is_taken_once(world: World) -> None:
    made = world.propose(FIRST)
    stale = world.desk.find(CITY, made.change_id)
    world.desk.approve(CITY, made.change_id, by="two")
    with pytest.raises(ChangeConflict):
        world.desk.approve(CITY, made.change_id, by="three")
    with pytest.raises(TransactionRefused):
        world.store.save(stale, stale)
    with pytest.raises(ChangeNotFound):
        world.desk.approve("YAZD", made.change_id, by="two")


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("IR580540105180021273113008", "iban_invalid"),
        ("DE89370400440532013000", "iban_invalid"),
        ("IR58", "iban_invalid"),
        (FIRST, "unchanged"),
    ],
)
def test_what_is_no_new_account_is_refused(world: World, iban: str, code: str) -> None:
    world.change(FIRST)
    with pytest.raises(InvalidInput) as refused:
        world.propose(iban)
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/iban", code)]


def test_a_citys_settings_say_how_long_and_nonsense_says_nothing(world: World) -> None:
    world.settings = {"change_cooling_off_s": 3_600, "first_account_cooling_off_s": 600}
    first = world.change(FIRST)
    assert (first.status, world.now()) == (Status.APPROVED, None)
    world.clock.advance(timedelta(seconds=600))
    assert (world.iban(), world.desk.settle_due()) == (FIRST, 1)
    for setting, waits in (
        (3_600, timedelta(hours=1)),
        (-1, COOLING_OFF),
        ("1", COOLING_OFF),
        (10**9, timedelta(days=30)),
    ):
        world.settings["change_cooling_off_s"] = setting
        after = world.change(SECOND)
        assert after.in_force_from is not None
        assert after.in_force_from - after.steps[-1].at == waits
        world.desk.cancel(CITY, after.change_id, by="two", reason="only looking")


def test_history_and_what_was_in_force_reach_beyond_a_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (changes_fake, change_table):
        monkeypatch.setattr(module, "PAGE", 4)
    world.change(FIRST)
    for _ in range(10):
        made = world.propose(SECOND)
        world.clock.advance(MINUTE)
        world.desk.cancel(CITY, made.change_id, by="two", reason="again and again")
    assert world.iban() == FIRST
    page = world.store.history(CITY, Subject.ACCOUNT)
    older = world.store.history(CITY, Subject.ACCOUNT, before=page[-1].change_id)
    assert (len(page), len(older)) == (4, 4)
    assert [one.change_id for one in page + older] == sorted({one.change_id for one in page + older}, reverse=True)
    assert world.store.history("YAZD", Subject.ACCOUNT) == []


def test_every_step_waits_for_its_place_in_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        _, ledger = make_tables()
        world = World(ChangeTable(ledger))
        made = world.change(FIRST)
        rows = _outbox(ledger)
        told = sorted((waiting_from(row) for row in rows), key=lambda row: (row.occurred_at, row.event_id))
    assert {row.type.value for row in told} == {"account.changed"}
    changes = [row.content["change"] for row in told]
    assert [change["status"] for change in changes] == ["proposed", "approved", "in_force"]
    assert {change["change_id"] for change in changes} == {made.change_id}
    assert changes[-1]["value"] == {"iban": FIRST, "holder": "City of Qom"}
    assert "in_force_from_at" not in changes[0]


def _outbox(ledger: Table) -> list[dict[str, Any]]:
    return [row for shard in range(16) for row in ledger.query(f"OUTBOX#{CITY}#{shard}", "CHAIN#")]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["propose", "approve", "cancel", "settle", "wait"]),
        st.sampled_from([FIRST, SECOND, THIRD]),
        st.sampled_from(["one", "two", "three"]),
        st.integers(0, 100),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_is_tried_no_account_comes_into_force_without_two_people_and_time(
    steps: list[tuple[str, str, str, int]],
) -> None:
    """The past never changes: each instant's answer, noted when it was the present, is given for ever after."""
    world = World(Changes())
    noted: list[tuple[datetime, Account | None]] = []
    for what, iban, by, hours in steps:
        waiting = world.store.open(CITY, Subject.ACCOUNT)
        change_id = waiting.change_id if waiting else "ac_none"
        try:
            match what:
                case "propose":
                    world.propose(iban, by)
                case "approve":
                    world.desk.approve(CITY, change_id, by=by)
                case "cancel":
                    world.desk.cancel(CITY, change_id, by=by, reason="no")
                case "settle":
                    world.desk.settle_due()
                case _:
                    world.clock.advance(timedelta(hours=hours))
        except (ChangeConflict, ChangeNotFound, ChangeOpen, InvalidInput, SecondPersonRequired):
            pass
        world.clock.advance(timedelta(milliseconds=7))
        noted.append((world.clock.now(), world.now()))
        world.clock.advance(timedelta(milliseconds=7))
    assert [world.at(instant) for instant, _ in noted] == [account for _, account in noted]
    changes = list(world.store.rows.values()) if isinstance(world.store, Changes) else []
    for change in changes:
        if change.in_force_at(world.clock.now()):
            assert change.approved_by not in ("", change.proposed_by)
            approved = next(step.at for step in change.steps if step.what is Status.APPROVED)
            assert change.in_force_from is not None
            assert change.in_force_from - approved == (timedelta(0) if change.initial else COOLING_OFF)
    assert in_force(changes, world.clock.now()) == world.store.in_force(CITY, Subject.ACCOUNT, world.clock.now())
