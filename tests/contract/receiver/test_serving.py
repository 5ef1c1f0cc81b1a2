"""`avarez receiver` as a process: messages over HTTP, what was lost fetched, killed where it stands, its books."""

from __future__ import annotations

import base64
import http.client
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from avarez.clock import SystemClock
from avarez.events.chain import Event
from avarez.webhooks import BODY_BYTES_MAX, sign
from avarez_cli.main import main
from avarez_cli.receiver.books import Books
from functions.pay.delivery.service import body_of, message_body
from infra.local.process import any_free_port
from tests.contract.receiver.conftest import CITY, Service

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
WITHIN_S = 60.0


class Process:
    """The command, serving; `folder` holds its books and its secrets."""

    def __init__(self, folder: Path, service: Service | None = None, every_s: float = 3_600) -> None:
        self.folder, self.port = folder, any_free_port(set())
        self.books = folder / "books.sqlite"
        (folder / "secret").write_text(SECRET, encoding="ascii")
        command = [str(Path(sys.executable).with_name("avarez")), "receiver", "serve", "--municipality", CITY]
        command += ["--books", str(self.books), "--secret", str(folder / "secret"), "--port", str(self.port)]
        if service is not None:
            command += ["--origin", service.origin, "--username", "officer", "--every", str(every_s)]
        self._command = command
        self.start()

    def start(self) -> None:
        self._child = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._child.stderr is not None
        said = self._child.stderr.readline()
        while said and f":{self.port}/" not in said:  # what it fetched at once may be told before
            said = self._child.stderr.readline()
        assert said

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()

    def post(self, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            signed = sign("ev_1", SystemClock().now(), body, [SECRET]) if headers is None else headers
            connection.request(method, "/hook", body, {"content-type": "application/json", **signed})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, event: Event) -> int:
        return self.post(body_of(event))[0]

    def read(self) -> Books:
        """The books, read beside the process."""
        return Books(self.books, CITY)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def start(service: Service | None = None, every_s: float = 3_600) -> Process:
        made.append(Process(tmp_path, service, every_s))
        return made[-1]

    yield start
    for one in made:
        one.kill()


def wait_for(read: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not read():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def balance(books: Books) -> dict[str, tuple[int, int]]:
    return {row.account: (row.debit_rial, row.credit_rial) for row in books.trial_balance()}


def test_what_was_lost_is_fetched_after_one_message(service: Service, process: Callable[..., Process]) -> None:
    receiver = process(service)
    wait_for(lambda: service.asked == [0])
    events = service.city.pay(20)
    assert receiver.send(events[0]) == 200
    assert receiver.send(events[-1]) == 200
    books = receiver.read()
    wait_for(lambda: books.head().sequence == len(events))
    assert [(gap.first, gap.last, gap.found_by) for gap in books.gaps()] == [(2, len(events) - 1, len(events))]
    assert balance(books) == service.city.balance()
    books.close()


def test_last_message_that_was_lost_comes_by_the_next_look(
    service: Service, process: Callable[..., Process]
) -> None:
    service.down = True
    receiver = process(service, every_s=0.2)
    events = service.city.pay(3)
    service.down = False
    books = receiver.read()
    wait_for(lambda: books.head().sequence == len(events))
    assert books.gaps() == []
    books.close()


def test_receiver_that_is_killed_has_all_that_it_answered_and_nothing_twice(
    service: Service, process: Callable[..., Process]
) -> None:
    receiver, events = process(), list(service.city.pay(30))
    chance = random.Random(5)
    answered: set[int] = set()

    def send_until_killed(came: Sequence[Event]) -> None:
        with suppress(OSError, http.client.HTTPException):
            for event in came:
                assert receiver.send(event) == 200
                answered.add(event.sequence)

    for most in (10, 30, 50):
        sender = threading.Thread(target=send_until_killed, args=[chance.sample(events, len(events))])
        sender.start()
        while len(answered) < most and sender.is_alive():
            time.sleep(0.001)
        receiver.kill()  # a message is under way: what it came to is either answered or will be sent again
        sender.join()
        books = receiver.read()
        assert answered <= {event.sequence for event in books.events()} | parked(receiver.books)
        assert books.faults() == []
        books.close()
        receiver.start()
    assert len(answered) < len(events)
    for event in events:
        assert receiver.send(event) == 200
    books = receiver.read()
    assert balance(books) == service.city.balance()
    assert books.faults() == []
    books.close()


def parked(path: Path) -> set[int]:
    with sqlite3.connect(path) as rows:
        return {sequence for (sequence,) in rows.execute("SELECT sequence FROM parked")}


def test_answers_to_what_is_no_event(process: Callable[..., Process], service: Service) -> None:
    receiver = process()
    (event, *_) = service.city.pay(1)
    challenge = message_body("endpoint.challenge", "", {"challenge": "ch_1"})
    assert receiver.post(challenge) == (200, b'{"challenge": "ch_1"}')
    assert receiver.post(message_body("endpoint.challenge", "", {"challenge": "c" * 201}))[0] == 422
    assert receiver.post(message_body("endpoint.test", "", {"demo": True}))[0] == 200
    assert receiver.post(b"{")[0] == 422
    assert receiver.post(message_body("x", "", {**event.data, "hash": "0" * 64}))[0] == 422
    body = body_of(event)
    signed = sign("ev_1", SystemClock().now(), body, [SECRET])
    assert receiver.post(body, {**signed, "content-type": "text/plain"})[0] == 415
    assert receiver.post(b"", {}, method="GET")[0] == 405
    assert receiver.post(b"x", {}, method="PUT")[0] == 405
    assert receiver.post(b"", {"content-length": str(BODY_BYTES_MAX + 1)})[0] == 413
    assert receiver.read().head().sequence == 0


def test_new_secret_is_good_from_the_moment_it_is_in_the_file(
    process: Callable[..., Process], service: Service
) -> None:
    receiver = process()
    events = service.city.pay(2)
    body = body_of(events[0])
    signed = sign("ev_1", SystemClock().now(), body, [NEW_SECRET])
    assert receiver.post(body, signed)[0] == 401
    (receiver.folder / "secret").write_text(f"{NEW_SECRET}\n{SECRET}\n", encoding="ascii")
    assert receiver.post(body, signed)[0] == 200
    assert receiver.send(events[1]) == 200


def test_pull_and_books_without_an_endpoint(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.city.pay(12)
    told = ["--books", str(tmp_path / "b.sqlite"), "--municipality", CITY]
    asked = [*told, "--origin", service.origin, "--username", "officer"]
    assert main(["receiver", "pull", *asked, "--json"]) == 0
    pulled = json.loads(capsys.readouterr().out)
    assert (pulled["placed"], pulled["sequence"]) == (len(service.city.events), len(service.city.events))
    assert main(["receiver", "books", *asked]) == 0
    assert "the same" in capsys.readouterr().out
    service.wrong_rial = 1
    assert main(["receiver", "books", *asked, "--json"]) == 1
    differing = json.loads(capsys.readouterr().out)["differences"]
    assert {row["account"] for row in differing} == set(service.city.balance())
    assert main(["receiver", "books", *told]) == 0
    service.down = True
    assert main(["receiver", "books", *asked]) == 2
    assert main(["receiver", "pull", *asked]) == 2
    assert main(["receiver", "books", *told[:2], "--municipality", "TEHRAN"]) == 2
    assert main(["receiver", "books", *told, "--origin", "ftp://x"]) == 2
