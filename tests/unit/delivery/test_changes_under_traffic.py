"""Another address, another secret while events flow, in virtual time: no failed check, none to a wrong place."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.changes.change import COOLING_OFF, Change, Subject
from avarez.errors import ChallengeOpen, ChangeConflict, ChangeOpen, SecondPersonRequired
from functions.pay.delivery.endpoints.endpoint import OVERLAP, State
from functions.pay.delivery.wire.sending import Answer
from tests.unit.delivery.receivers import Town, refused_connection

HOUR = timedelta(hours=1)
OLD, NEW = "QOM", "YAZD"
"""Two receivers of one city, QOM: the host of the second one is another city's name."""
NEW_URL = "https://yazd.example.ir/new"


def traffic(town: Town, span: timedelta, every: timedelta = HOUR) -> None:
    """An event each hour, brought at once."""
    end = town.clock.now() + span
    while town.clock.now() < end:
        town.chains.grow(OLD, 1)
        town.run(OLD)
        town.pass_time(min(every, end - town.clock.now()))


def moving(town: Town) -> Change:
    """A change of the address, proposed and proved."""
    town.receivers[NEW].secrets = town.receivers[OLD].secrets
    told = town.desk.register(OLD, NEW_URL, "one", "a new program")
    assert told.change is not None
    assert told.passed
    return told.change


def test_every_event_goes_where_the_address_is_at_that_moment() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    traffic(town, 5 * HOUR)
    change = moving(town)
    with pytest.raises(SecondPersonRequired):
        town.officers.approve(OLD, change.change_id, by="one")
    traffic(town, 5 * HOUR)
    approved = town.officers.approve(OLD, change.change_id, by="two")
    since = approved.in_force_from
    assert since is not None
    assert since - town.clock.now() == COOLING_OFF
    traffic(town, COOLING_OFF - timedelta(milliseconds=1))
    old, new = town.receivers[OLD], town.receivers[NEW]
    assert new.order == [], "nothing but the challenge before its time"
    told = [data["change"]["status"] for data in old.taken.values() if data["type"] == "account.changed"]
    assert told == ["proposed", "approved"], "announced by the old way, three days before"
    town.clock.instant = since
    last = old.order[-1]
    traffic(town, 5 * HOUR)
    town.officers.settle_due()
    traffic(town, HOUR)
    chain = [event.data for event in town.chains.events[OLD]]
    assert old.order == list(range(1, last + 1))
    assert new.order == list(range(last + 1, len(chain) + 1))
    assert [*old.taken.values(), *new.taken.values()] == chain
    assert [data["change"]["status"] for data in new.taken.values() if "change" in data] == ["in_force"]
    assert (old.refused, new.refused, town.endpoint(OLD).url) == (0, 0, NEW_URL)


def test_a_run_that_lasts_over_the_change_calls_each_address_in_its_time() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    approved = town.officers.approve(OLD, moving(town).change_id, by="two")
    assert approved.in_force_from is not None
    town.run(OLD)
    before = town.endpoint(OLD).delivered
    town.clock.instant = approved.in_force_from - timedelta(seconds=10)
    old, new = town.receivers[OLD], town.receivers[NEW]
    calls: list[datetime] = []

    def slow(count: int) -> None:
        calls.append(town.clock.now())
        town.clock.advance(timedelta(seconds=1))

    old.behave = new.behave = slow
    town.chains.grow(OLD, 20)
    assert town.run(OLD).events == 20
    assert old.order[before:] == list(range(before + 1, before + 11))
    assert new.order == list(range(before + 11, before + 21))
    assert all((at < approved.in_force_from) == (place < 10) for place, at in enumerate(calls))


def test_a_change_that_was_called_off_moves_nothing() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    for approves in (False, True):
        change = moving(town)
        if approves:
            town.officers.approve(OLD, change.change_id, by="two")
        town.officers.cancel(OLD, change.change_id, by="three", reason="that is nobody of ours")
        traffic(town, COOLING_OFF + HOUR)
        assert (town.receivers[NEW].order, town.endpoint(OLD).candidate_url) == ([], "")


def test_an_address_that_has_not_answered_cannot_be_approved() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    genuine = town.receivers[NEW].post
    town.receivers[NEW].post = lambda headers, body: Answer(503)  # type: ignore[method-assign]
    told = town.desk.register(OLD, NEW_URL, "one")
    assert told.change is not None
    with pytest.raises(ChallengeOpen):
        town.officers.approve(OLD, told.change.change_id, by="two")
    with pytest.raises(ChangeOpen):
        town.desk.register(OLD, "https://yazd.example.ir/third", "two")
    town.receivers[NEW].post = genuine  # type: ignore[method-assign]
    town.receivers[NEW].secrets = town.receivers[OLD].secrets
    assert town.desk.challenge(OLD).endpoint.candidate_proved
    town.officers.approve(OLD, told.change.change_id, by="two")


def test_an_address_that_is_down_does_not_hold_the_new_one_up() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    town.receivers[OLD].behave = refused_connection
    town.officers.approve(OLD, moving(town).change_id, by="two")
    town.chains.grow(OLD, 5)
    town.pass_time(COOLING_OFF + HOUR)
    assert town.receivers[OLD].order == []
    assert town.receivers[NEW].order == list(range(1, 8)), "with the notices that the old one never got"


def test_the_same_address_again_is_a_challenge_and_no_change() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    told = town.desk.register(OLD, "https://qom.example.ir/hook", "one")
    assert (told.passed, told.change, told.secret) == (True, None, "")
    change = moving(town)
    assert town.desk.register(OLD, "https://qom.example.ir/hook", "one").passed
    assert town.endpoint(OLD).candidate_url == NEW_URL
    town.officers.approve(OLD, change.change_id, by="two")


def test_a_stopped_endpoint_is_not_called_until_it_is_resumed_or_has_another_address() -> None:
    town = Town(OLD, NEW)
    town.register(OLD)
    assert town.desk.stop(OLD).state is State.STOPPED
    traffic(town, 5 * HOUR)
    assert town.desk.challenge(OLD).endpoint.state is State.STOPPED
    assert town.receivers[OLD].calls == 0
    town.officers.approve(OLD, moving(town).change_id, by="two")
    town.pass_time(COOLING_OFF + HOUR)
    town.run(OLD)
    assert (town.receivers[OLD].calls, town.receivers[NEW].order) == (0, list(range(1, 8)))
    town.desk.stop(OLD)
    town.chains.grow(OLD, 1)
    assert town.run(OLD).events == 0
    town.desk.resume(OLD)
    assert town.run(OLD).events == 1


def test_a_leaked_secret_is_worth_nothing_once_the_receiver_has_the_new_one() -> None:
    """One officer gets the new secret at once, and it signs at once; no cooling-off stands in the way of that."""
    town = Town(OLD)
    leaked = town.register(OLD).secret
    _, new, change = town.desk.rotate(OLD, "one")
    receiver = town.receivers[OLD]
    receiver.secrets = [new]
    town.chains.grow(OLD, 3)
    assert (town.run(OLD).events, receiver.refused, leaked != new) == (4, 0, True)
    assert change is not None
    assert "whsec" not in str(town.chains.events[OLD][0].data)


def test_without_a_second_person_the_old_secret_signs_on_and_a_burnt_one_never_comes_back() -> None:
    town = Town(OLD)
    town.register(OLD)
    _, stolen, change = town.desk.rotate(OLD, "one")
    assert change is not None
    traffic(town, 10 * COOLING_OFF, COOLING_OFF)
    assert town.receivers[OLD].refused == 0, "one stolen account silences nobody"
    town.officers.cancel(OLD, change.change_id, by="two", reason="not ours")
    town.chains.grow(OLD, 1)
    town.run(OLD)
    assert town.receivers[OLD].signatures[-1] == 1
    _, new, again = town.desk.rotate(OLD, "two")
    assert again is not None
    assert (again.value, new != stolen) == ({"generation": "3"}, True)
    town.officers.approve(OLD, again.change_id, by="one")
    town.pass_time(COOLING_OFF)
    town.receivers[OLD].secrets = [new]
    traffic(town, 3 * OVERLAP)
    assert (town.receivers[OLD].refused, town.receivers[OLD].signatures[-1]) == (0, 1)
    with pytest.raises(ChangeConflict):
        town.officers.cancel(OLD, again.change_id, by="two", reason="too late")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 47), st.integers(0, 47 + 72 + 24 - 1), st.integers(0, 60), st.integers(20, 60))
def test_whenever_a_receiver_changes_over_no_check_fails(
    approved_after_h: int, swapped_after_h: int, moved_after_h: int, pace_minutes: int
) -> None:
    """The new secret taken over at any hour from its making to a day after it is in force; the address as well."""
    swapped_after_h = min(swapped_after_h, approved_after_h + 72 + 23)
    town = Town(OLD, NEW)
    first = town.register(OLD).secret
    town.receivers[NEW].secrets = [first]
    _, second, change = town.desk.rotate(OLD, "one")
    assert change is not None
    move: Change | None = None
    for hour in range(approved_after_h + 72 + 80):
        if hour == approved_after_h:
            town.officers.approve(OLD, change.change_id, by="two")
        if hour == swapped_after_h:
            town.receivers[OLD].secrets = town.receivers[NEW].secrets = [second]
        if hour == moved_after_h:
            move = town.desk.register(OLD, NEW_URL, "two").change
            assert move is not None
            town.officers.approve(OLD, move.change_id, by="one")
        traffic(town, HOUR, timedelta(minutes=pace_minutes))
        town.officers.settle_due()
    chain = [event.data for event in town.chains.events[OLD]]
    town.run(OLD)
    old, new = town.receivers[OLD], town.receivers[NEW]
    assert (old.refused, new.refused) == (0, 0)
    assert [*old.taken.values(), *new.taken.values()][: len(chain)] == chain
    assert town.officers.store.open(OLD, Subject.WEBHOOK_SECRET) is None
    if move is not None and town.officers.find(OLD, move.change_id).in_force_at(town.clock.now()):
        assert new.order
        assert new.order[0] == old.order[-1] + 1
