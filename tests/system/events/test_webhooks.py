"""A city's endpoint on the running system: registered, challenged, served in order, down for a while, replayed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from avarez.clock import SystemClock
from avarez.events.chain import faults
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.taking import Receiver
from tests.system.conftest import System
from tests.system.journey import pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system

CITY = "MASHHAD"
HOOK = f"/v1/municipalities/{CITY}/webhook"
DELIVERED_WITHIN_S = 60.0
RETRIED_WITHIN_S = 240.0
"""The first wait is five seconds; who wakes the queue then is the sweep of each minute."""


class City:
    """The city's own program: it keeps its secrets and its books."""

    def __init__(self, folder: Path) -> None:
        self.secrets: list[str] = []
        self.books = Books(folder / "books.sqlite", CITY)
        self.port = 0
        self._listening: Listening | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        receiver = Receiver(self.books, lambda: self.secrets, SystemClock().now)
        self._listening = Listening(self.port, lambda path: receiver)
        self.port = self._listening.port
        self._thread = threading.Thread(target=self._listening.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        if self._listening is not None and self._thread is not None:
            self._listening.shutdown()
            self._thread.join()
            self._listening.server_close()
            self._listening = None


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    made.start()
    yield made
    made.stop()


def test_what_is_paid_reaches_the_city_in_order_and_whatever_was_down(system: System, city: City) -> None:
    officer, clerk = system.client("mashhad"), system.client("clerk")
    url = f"http://127.0.0.1:{city.port}/hook"
    made = officer.put(HOOK, {"url": url})
    assert made.status == 201, made.text
    assert (made.json["challenge_passed"], made.json["status"]) == (False, "awaiting_challenge")
    city.secrets.append(made.json["secret"])
    proved = officer.post(f"{HOOK}/challenges")
    assert (proved.status, proved.json["challenge_passed"], proved.json["url"]) == (200, True, url)

    paid = pay(system, clerk, fresh_plate())

    def told(kind: str, payment_id: str) -> list[dict[str, object]]:
        return [
            data
            for data in (dict(event.data) for event in city.books.events())
            if data.get("type") == kind and data.get("payment", {}).get("payment_id") == payment_id
        ]

    payment_id = paid.payment["payment_id"]
    system.wait_for(lambda: told("certificate.issued", payment_id) or None, DELIVERED_WITHIN_S)
    assert len(told("payment.settled", payment_id)) == 1
    assert list(faults(CITY, city.books.events())) == []

    city.stop()
    second = pay(system, clerk, fresh_plate()).payment["payment_id"]
    system.wait_for(lambda: officer.get(HOOK).json["failures"] or None, DELIVERED_WITHIN_S)
    assert officer.get(HOOK).json["status"] == "active"
    city.start()
    system.wait_for(lambda: told("payment.settled", second) or None, RETRIED_WITHIN_S)
    assert list(faults(CITY, city.books.events())) == []
    attempts = officer.get(f"{HOOK}/attempts").json["attempts"]
    assert {"not_connected"} <= {attempt["failure"] for attempt in attempts if attempt["failure"]}

    count = city.books.head().sequence
    assert officer.post(f"/v1/municipalities/{CITY}/events/replay", {"from_sequence": 1}).status == 202
    system.wait_for(lambda: officer.get(HOOK).json["delivered_sequence"] >= count or None, DELIVERED_WITHIN_S)
    assert list(faults(CITY, city.books.events())) == []
    pulled = officer.get(f"/v1/municipalities/{CITY}/events?limit=500").json["events"]
    assert [event["data"] for event in pulled][:count] == [event.data for event in city.books.events()][:count]


def test_inner_addresses_are_refused_on_the_running_system_too(system: System) -> None:
    officer = system.client("tehran")
    for url in ("https://169.254.169.254/latest", "https://localhost/hook", "http://10.0.0.1:80/hook"):
        answer = officer.put("/v1/municipalities/TEHRAN/webhook", {"url": url})
        assert (answer.status, answer.json["code"]) == (422, "webhook_url_refused"), url
    assert system.client("clerk").put(HOOK, {"url": "https://city.example.ir/"}).status == 403
    assert officer.get(HOOK).json["code"] == "municipality_unknown"
