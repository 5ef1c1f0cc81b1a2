"""Scenarios 12 and 13: signed messages that are replayed or forged, at a receiver over HTTP; unsigned callbacks.

The vector is that of the standard's own libraries. A browser's return is not signed: it changes nothing by itself.
"""

from __future__ import annotations

import base64
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avarez.clock import FixedClock
from avarez.errors import SignatureRefused
from avarez.webhooks import check, sign
from avarez_cli.main import main
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.taking import REFUSED, Receiver
from functions.pay.delivery.service import message_body
from functions.pay.rules.states import Occurrence, Status
from tests.unit.payments.payments_fake import world
from tests.unit.payments.payments_steps import callback, now_of, occurrences, open_one
from tests.unit.receiver.told import City

VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_AT = datetime.fromtimestamp(1614265330, UTC)
NEW_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
OTHERS_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
CITY = "TEHRAN"
EVENTS = City(CITY)
BODIES = [message_body(str(event.data["type"]), "", event.data) for event in EVENTS.pay(3)]
BODY = BODIES[0]


@dataclass
class Listener:
    """A municipality's receiver on a socket, with a clock that can be moved."""

    books: Books
    clock: FixedClock
    port: int

    def post(self, headers: dict[str, str], body: bytes = BODY) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/", body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Listener]:
    clock = FixedClock(NOW)
    books = Books(tmp_path / "books.db", CITY)
    taking = Receiver(books, lambda: [VECTOR_SECRET, NEW_SECRET], clock.now)
    with Listening(0, lambda path: taking) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Listener(books, clock, listening.port)
        listening.shutdown()
    books.close()


# --- 12: replayed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [301, 3_600, 30 * 86_400, -301])
def test_scenario_12_message_replayed_outside_five_minutes_is_refused(receiver: Listener, seconds: int) -> None:
    signed = sign("ev_1", NOW, BODY, [VECTOR_SECRET])
    assert receiver.post(signed)[0] == 200
    receiver.clock.advance(timedelta(seconds=seconds))
    assert receiver.post(signed) == (401, REFUSED.body)
    assert receiver.books.head().sequence == 1


@pytest.mark.parametrize("seconds", [1, 299, 300, -1, -300])
def test_scenario_12_message_replayed_within_five_minutes_gets_its_answer_and_has_no_effect(
    receiver: Listener, seconds: int
) -> None:
    signed = sign("ev_1", NOW, BODY, [VECTOR_SECRET])
    first = receiver.post(signed)
    receiver.clock.advance(timedelta(seconds=seconds))
    assert receiver.post(signed) == first
    assert first[0] == 200
    assert receiver.books.head().sequence == 1


def test_scenario_12_both_secrets_of_a_rotation_are_good(receiver: Listener) -> None:
    for number, secrets in enumerate(([VECTOR_SECRET], [NEW_SECRET], [OTHERS_SECRET, NEW_SECRET])):
        body = BODIES[number]
        assert receiver.post(sign(f"ev_{number}", NOW, body, secrets), body)[0] == 200
    assert receiver.books.head().sequence == 3


def test_scenario_12_callback_of_a_payment_replayed_after_a_month_changes_nothing() -> None:
    """A browser's return carries no signature, so its replay is kept as an event and has no effect."""
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    settled = callback(w, payment)
    for step in (timedelta(hours=1), timedelta(days=30)):
        w.clock.advance(step)
        assert callback(w, payment) == settled
        assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_REPEATED
    assert len(w.store.journal) == 1


# --- 13: forged -----------------------------------------------------------------------------------------

GOOD = sign("ev_1", NOW, BODY, [VECTOR_SECRET])
FORGED: dict[str, tuple[dict[str, str], bytes]] = {
    "no headers": ({}, BODY),
    "no signature": ({**GOOD, "webhook-signature": ""}, BODY),
    "another's secret": (sign("ev_1", NOW, BODY, [OTHERS_SECRET]), BODY),
    "another body": (GOOD, BODY + b" "),
    "another id": ({**GOOD, "webhook-id": "ev_2"}, BODY),
    "another time": ({**GOOD, "webhook-timestamp": str(int(GOOD["webhook-timestamp"]) + 1)}, BODY),
    "another version": ({**GOOD, "webhook-signature": GOOD["webhook-signature"].replace("v1,", "v2,")}, BODY),
    "an asymmetric version": (
        {**GOOD, "webhook-signature": GOOD["webhook-signature"].replace("v1,", "v1a,")},
        BODY,
    ),
    "an algorithm of its own": ({**GOOD, "webhook-signature": "none,"}, BODY),
    "an empty signature": ({**GOOD, "webhook-signature": "v1,"}, BODY),
    "half a signature": ({**GOOD, "webhook-signature": GOOD["webhook-signature"][:-8]}, BODY),
    "base64 with blanks inside": ({**GOOD, "webhook-signature": GOOD["webhook-signature"][:9] + "\t" + "x"}, BODY),
    "no base64": ({**GOOD, "webhook-signature": "v1,!!!!"}, BODY),
    "a time in words": ({**GOOD, "webhook-timestamp": "yesterday"}, BODY),
    "a time with a sign": ({**GOOD, "webhook-timestamp": "+179579260"}, BODY),
    "a time of eleven digits": ({**GOOD, "webhook-timestamp": "0" + GOOD["webhook-timestamp"]}, BODY),
    "an id with a dot": ({**GOOD, "webhook-id": "ev.1"}, BODY),
    "an endless id": ({**GOOD, "webhook-id": "e" * 300}, BODY),
}


@pytest.mark.parametrize("how", list(FORGED))
def test_scenario_13_forged_message_is_refused_with_the_one_answer(receiver: Listener, how: str) -> None:
    headers, body = FORGED[how]
    assert receiver.post(headers, body) == (401, REFUSED.body)
    assert receiver.books.head().sequence == 0


@pytest.mark.parametrize("seconds", ["۱۷۹۵۷۹۲۶۰۰", "１７９５７９２６００", "1795792600\n"])
def test_scenario_13_time_in_other_digits_is_refused(seconds: str) -> None:
    with pytest.raises(SignatureRefused):
        check({**GOOD, "webhook-timestamp": seconds}, BODY, [VECTOR_SECRET], NOW)
    with pytest.raises(SignatureRefused):
        check({**GOOD, "webhook-signature": "v1,سلام"}, BODY, [VECTOR_SECRET], NOW)


def test_scenario_13_vector_of_the_standard_is_signed_and_read_alike() -> None:
    assert sign(VECTOR_HEADERS["webhook-id"], VECTOR_AT, VECTOR_BODY, [VECTOR_SECRET]) == VECTOR_HEADERS
    assert (
        check(VECTOR_HEADERS, VECTOR_BODY, [VECTOR_SECRET], VECTOR_AT).message_id == VECTOR_HEADERS["webhook-id"]
    )
    tehran = VECTOR_AT.astimezone(tz=None)
    assert sign(VECTOR_HEADERS["webhook-id"], tehran, VECTOR_BODY, [VECTOR_SECRET]) == VECTOR_HEADERS


@pytest.mark.parametrize(
    "secret", ["whsec_AA==", "whsec_", "whsec_!", "whsec_" + base64.b64encode(b"x" * 65).decode()]
)
def test_scenario_13_weak_or_malformed_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes") as told:
        sign("ev_1", NOW, BODY, [secret])
    assert secret not in str(told.value) or secret == "whsec_"
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        check(GOOD, BODY, [secret], NOW)
    with pytest.raises(ValueError, match="aware time"):
        sign("ev_1", NOW.replace(tzinfo=None), BODY, [VECTOR_SECRET])


def test_scenario_13_forged_callback_of_a_payment_changes_nothing() -> None:
    """A wrong token proves nothing, an invented reference is asked about and found to be none."""
    w = world()
    payment = open_one(w)
    assert callback(w, payment, token="other") is None
    assert callback(w, payment, reference="invented") is not None
    assert now_of(w, payment).status is Status.PENDING
    assert w.store.journal == []
    assert w.store.references == {}


def test_scenario_13_command_line_tells_ours_from_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body, secret = tmp_path / "body.json", tmp_path / "secret"
    body.write_bytes(VECTOR_BODY)
    secret.write_text(VECTOR_SECRET + "\n", encoding="ascii")
    given = ["verify-webhook", str(body), "--secret", str(secret), "--at", "2021-02-25T15:02:10Z"]
    for name, value in VECTOR_HEADERS.items():
        given += ["--" + name.removeprefix("webhook-"), value]
    assert main([*given, "--json"]) == 0
    assert '"valid": true' in capsys.readouterr().out
    late = [word if word != "2021-02-25T15:02:10Z" else "2021-02-25T15:09:10Z" for word in given]
    assert main(late) == 1
    secret.write_text("whsec_short", encoding="ascii")
    assert main(given) == 2
