"""Scenario 33: endpoints that are down, slow, gone or in a hurry: in order, nothing dropped, none held up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avarez.errors import WebhookUrlRefused
from functions.pay.delivery.endpoints.endpoint import LONGEST_WAIT, Endpoint, State, failed, wait_after
from functions.pay.delivery.service import Delivered, body_of, deliver, message_body
from functions.pay.delivery.wire.sending import TIMEOUT_S, Answer, Failure
from functions.pay.delivery.worker import RUN_SECONDS_MAX
from tests.unit.delivery.receivers import START, Town, refused_connection

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_events_arrive_in_order_once_with_what_the_chain_says() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 260)
    done = town.run("QOM")
    receiver = town.receivers["QOM"]
    assert (done.events, done.waiting, town.endpoint("QOM").delivered) == (260, False, 260)
    assert receiver.order == list(range(1, 261))
    assert list(receiver.taken.values()) == [event.data for event in town.chains.events["QOM"]]
    for event in town.chains.events["QOM"]:
        assert body_of(event) == message_body("payment.settled", event.data["occurred_at"], event.data)
    assert town.run("QOM").events == 0


def test_an_event_is_not_overtaken_by_the_one_behind_it() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 5)
    receiver = town.receivers["QOM"]
    receiver.behave = lambda count: Answer(500, b"no") if count in (3, 4) else None
    town.run("QOM")
    assert (receiver.order, town.endpoint("QOM").delivered) == ([1, 2], 2)
    assert town.run("QOM").events == 0, "it is not due yet"
    town.pass_time(timedelta(seconds=20))
    assert (receiver.order, receiver.calls) == ([1, 2, 3, 4, 5], 7)


@pytest.mark.parametrize("days", [3, 13])
def test_after_an_outage_of_days_everything_is_there_within_an_hour(days: int) -> None:
    town = Town("QOM", "YAZD")
    town.register("QOM")
    town.register("YAZD")
    town.receivers["QOM"].behave = refused_connection
    for _ in range(days):
        town.chains.grow("QOM", 40)
        town.chains.grow("YAZD", 40)
        town.pass_time(DAY)
    assert town.receivers["QOM"].order == []
    assert town.receivers["YAZD"].order == list(range(1, days * 40 + 1))
    assert town.endpoint("QOM").state is State.ACTIVE
    assert town.alerts == {"QOM": ["1 h", "24 h"] if days == 3 else ["1 h", "24 h", "120 h"], "YAZD": []}
    town.receivers["QOM"].behave = lambda count: None
    town.pass_time(HOUR)
    assert town.receivers["QOM"].order == list(range(1, days * 40 + 1))
    assert town.endpoint("QOM").failing_since is None


def test_who_answers_in_29_seconds_has_one_event_a_run_and_never_fails() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 5)

    def slowly(count: int) -> None:
        town.clock.instant += timedelta(seconds=29)

    town.receivers["QOM"].behave = slowly

    def run() -> Delivered:
        until = town.clock.now() + timedelta(seconds=RUN_SECONDS_MAX)
        return deliver(town.store, town.chains, town.outbound, "QOM", lambda: town.clock.now() < until)

    for number in range(1, 6):
        done = run()
        assert (done.events, done.waiting) == (1, number < 5), "the next one is another run's, of 60 seconds again"
        assert done.endpoint is not None
        assert (done.endpoint.state, done.endpoint.failures) == (State.ACTIVE, 0)
    assert town.receivers["QOM"].order == [1, 2, 3, 4, 5]
    assert RUN_SECONDS_MAX + TIMEOUT_S < 60


def test_who_is_down_for_ever_is_paused_and_keeps_everything() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.receivers["QOM"].behave = refused_connection
    town.chains.grow("QOM", 10)
    town.pass_time(30 * DAY)
    endpoint = town.endpoint("QOM")
    assert (endpoint.state, endpoint.delivered) == (State.PAUSED, 0)
    assert town.alerts["QOM"] == ["1 h", "24 h", "120 h", "336 h"]
    calls = town.receivers["QOM"].calls
    town.pass_time(10 * DAY)
    assert 9 <= town.receivers["QOM"].calls - calls <= 11, "once a day"
    town.receivers["QOM"].behave = lambda count: None
    town.desk.resume("QOM")
    assert town.run("QOM").events == 10
    assert town.endpoint("QOM").state is State.ACTIVE


def test_a_paused_endpoint_that_comes_back_by_itself_is_found_within_a_day() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.receivers["QOM"].behave = refused_connection
    town.chains.grow("QOM", 10)
    town.pass_time(20 * DAY)
    town.receivers["QOM"].behave = lambda count: None
    town.pass_time(DAY + timedelta(seconds=1))
    assert town.receivers["QOM"].order == list(range(1, 11))


def test_who_says_gone_is_not_called_again_until_resumed() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 3)
    town.receivers["QOM"].behave = lambda count: Answer(410)
    town.pass_time(5 * DAY)
    assert (town.receivers["QOM"].calls, town.endpoint("QOM").state, town.alerts["QOM"]) == (
        1,
        State.GONE,
        ["gone"],
    )
    town.receivers["QOM"].behave = lambda count: None
    town.desk.resume("QOM")
    town.pass_time(HOUR)
    assert town.receivers["QOM"].order == [1, 2, 3]


@pytest.mark.parametrize(
    ("asked_s", "waits"), [(600, timedelta(minutes=10)), (90_000, HOUR), (1, timedelta(seconds=5))]
)
def test_retry_after_is_kept_to_up_to_an_hour(asked_s: int, waits: timedelta) -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 1)
    town.receivers["QOM"].behave = lambda count: Answer(429, retry_after_s=asked_s)
    town.run("QOM")
    assert town.endpoint("QOM").due_at == START + waits


def test_waits_double_to_half_an_hour_and_are_spread() -> None:
    waits = [wait_after(failures, 0.5).total_seconds() for failures in range(1, 14)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800, 1800]
    assert (wait_after(99, 0.0), wait_after(99, 1.0)) == (LONGEST_WAIT * 0.75, LONGEST_WAIT * 1.25)
    assert LONGEST_WAIT * 1.25 < HOUR


def test_two_workers_at_once_lose_nothing_and_repeat_what_a_receiver_knows() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 30)
    town.store.before_save = lambda: (town.run("QOM"), None)[1]
    first = town.run("QOM")
    receiver = town.receivers["QOM"]
    assert (first.events, town.endpoint("QOM").delivered) == (25, 30)
    assert receiver.order == list(range(1, 31))
    assert receiver.calls == 55


def test_a_replay_in_the_middle_of_a_run_stands() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 60)
    town.run("QOM")
    town.chains.grow("QOM", 30)
    town.store.before_save = lambda: (town.desk.replay("QOM", 11), None)[1]
    town.run("QOM")
    assert town.endpoint("QOM").delivered == 10
    town.pass_time(HOUR)
    assert town.receivers["QOM"].calls == 60 + 25 + 80
    assert town.receivers["QOM"].order == list(range(1, 91))


def test_a_replay_never_leaves_events_out() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 3)
    town.desk.replay("QOM", 1_000)
    assert town.endpoint("QOM").delivered == 0


def test_no_two_endpoints_share_a_secret() -> None:
    town = Town("QOM", "YAZD")
    secrets = {town.register("QOM").secret, town.register("YAZD").secret, town.desk.rotate("QOM", "officer")[1]}
    assert len(secrets) == 3


def test_an_endpoint_counts_once_it_repeated_the_challenge() -> None:
    town = Town("QOM")
    town.chains.grow("QOM", 2)
    receiver = town.receivers["QOM"]
    genuine = receiver.post
    for answer in (Answer(200, b"ok"), Answer(200, b'{"challenge":"ch_other"}'), Answer(200, b"[]"), Answer(500)):
        receiver.post = lambda headers, body, answer=answer: answer  # type: ignore[method-assign,misc]
        told = town.desk.register("QOM", "https://qom.example.ir/hook", "officer")
        assert not told.passed
        assert (told.endpoint.state, told.endpoint.url) == (State.AWAITING_CHALLENGE, "")
        assert town.run("QOM").events == 0
        assert town.desk.resume("QOM").state is State.AWAITING_CHALLENGE
    receiver.post = genuine  # type: ignore[method-assign]
    receiver.secrets = [town.outbound.secrets.secret("QOM", town.endpoint("QOM").endpoint_id, 1)]
    assert town.desk.challenge("QOM").passed
    assert town.run("QOM").events == 2


def test_a_name_that_leads_nowhere_public_is_not_registered() -> None:
    town = Town("QOM")
    with pytest.raises(WebhookUrlRefused):
        town.desk.register("QOM", "https://inner.example.ir/hook", "officer")
    assert town.store.find("QOM") is None


def test_attempts_say_what_came_back() -> None:
    town = Town("QOM")
    town.register("QOM")
    town.chains.grow("QOM", 1)
    answers = iter([Answer(500, b"x" * 9_000, address="1.1.1.1"), Answer(None, failure=Failure.TIMED_OUT)])
    town.receivers["QOM"].behave = lambda count: next(answers, None)
    town.pass_time(HOUR)
    told = [(one.sequence, one.status, one.failure, len(one.excerpt)) for one in town.store.attempts["QOM"]]
    assert told == [(0, 200, "", 0), (1, 500, "", 500), (1, None, "timed_out", 0), (1, 204, "", 0)]


def test_a_test_message_says_that_it_is_one() -> None:
    town = Town("QOM")
    town.register("QOM")
    assert town.desk.test("QOM").status == 204
    (data,) = town.receivers["QOM"].taken.values()
    assert data["demo"] is True
    assert town.endpoint("QOM").delivered == 0


def test_alerts_are_told_once_each() -> None:
    endpoint = Endpoint("QOM", "we_1", START, "officer", state=State.ACTIVE)
    told = []
    now = START
    while now < START + 15 * DAY:
        after = failed(endpoint, Answer(500), now, 0.5)
        if after.alerted > endpoint.alerted:
            told.append(now - START)
        endpoint = after
        assert endpoint.due_at is not None
        now = endpoint.due_at
    assert [span >= age for span, age in zip(told, (HOUR, DAY, 5 * DAY, 14 * DAY), strict=True)] == [True] * 4
