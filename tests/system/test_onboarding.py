"""What a city sets up for itself, on the running system."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from avarez import keys
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table, transact
from avarez.events.log import EventLog
from avarez.quotes.store import put_municipality_settings
from avarez_cli.main import main
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.taking import Answer, Receiver
from tests.system.conftest import Client, System
from tests.system.journey import pay
from tests.system.plates import plate_of

pytestmark = pytest.mark.system

CITY = "TEHRAN"
HERE = f"/v1/municipalities/{CITY}"
OTHER_IBAN = "IR062960000000100324200001"
TOLD_WITHIN_S = 60.0
COOLING_OFF_S = 6


def test_a_new_account_waits_for_two_people_and_three_days_and_can_be_called_off(system: System) -> None:
    one, two = system.client("tehran"), system.client("tehran2")
    before = one.get(f"{HERE}/account").json["account"]
    assert before["iban"].startswith("IR")
    made = one.put(f"{HERE}/account", {"iban": OTHER_IBAN, "holder": "شهرداری تهران", "reason": "بانک تازه"})
    assert made.status == 201, made.text
    change = f"{HERE}/changes/{made.json['change_id']}"
    assert one.post(f"{change}/approvals").json["code"] == "second_person_required"
    assert system.client("mashhad").post(f"{change}/approvals").status == 404
    assert system.client("operator").post(f"{change}/approvals").status == 403
    approved = two.post(f"{change}/approvals")
    assert (approved.status, approved.json["status"]) == (200, "approved"), approved.text
    assert one.get(f"{HERE}/account").json["account"] == before
    cancelled = one.post(f"{change}/cancellations", {"reason": "پشیمان شدیم"})
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert one.get(f"{HERE}/account").json["account"] == before

    def told() -> list[dict[str, Any]] | None:
        found = [
            event["data"]["change"]
            for event in one.get(f"{HERE}/events?limit=500").json["events"]
            if event["type"] == "account.changed"
            and event["data"]["change"]["change_id"] == made.json["change_id"]
        ]
        return found if len(found) == 3 else None

    steps = system.wait_for(told, TOLD_WITHIN_S)
    assert [step["status"] for step in steps] == ["proposed", "approved", "cancelled"]
    assert [step["by"] for step in steps[-1]["steps"]] == ["tehran", "tehran2", "tehran"]


@dataclass
class Address:
    """One of the city's addresses, with secrets of its own; both write into the books of the city."""

    books: Books
    secrets: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    first_at: str = ""

    @property
    def receiver(self) -> Receiver:
        return _Noting(self.books, lambda: self.secrets, SystemClock().now, note=self.note)

    def note(self, body: bytes, answer: Answer) -> None:
        self.statuses.append(answer.status)
        data = json.loads(body)["data"]
        if "sequence" in data and data["sequence"] not in self.sequences:
            self.first_at = self.first_at or to_rfc3339(SystemClock().now())
            self.sequences.append(data["sequence"])


@dataclass(frozen=True, slots=True)
class _Noting(Receiver):
    note: Callable[[bytes, Answer], None] = lambda body, answer: None

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        told = Receiver.answer(self, headers, body)
        self.note(body, told)
        return told


@contextmanager
def listening(addresses: Mapping[str, Address]) -> Iterator[str]:
    """The city's program, with an address for each path; gives its origin."""
    receivers = {path: address.receiver for path, address in addresses.items()}
    server = Listening(0, lambda path: receivers.get(path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def quick_changes(system: System) -> Iterator[None]:
    """The city's changes cool off for some seconds meanwhile."""
    table = Table(system.outputs["DutyTableName"], system.aws("dynamodb"))
    before = table.get(keys.municipality_setting(CITY)) or {}
    put_municipality_settings(table, [(CITY, {**before, "change_cooling_off_s": COOLING_OFF_S})])
    yield
    put_municipality_settings(table, [(CITY, before)])


@contextmanager
def payments(system: System) -> Iterator[list[str]]:
    """Payments one after the other, until the block ends."""
    paid: list[str] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            paid.append(pay(system, system.client("clerk"), plate_of(CITY), CITY).payment["payment_id"])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield paid
    finally:
        stop.set()
        thread.join()


def noticed(books: Books) -> list[dict[str, Any]]:
    """The changes that the city was told of, step by step."""
    return [event.data["change"] for event in books.events() if "change" in event.data]


def test_address_secret_and_account_change_under_traffic_and_nothing_goes_astray(
    system: System, tmp_path: Path
) -> None:
    one, two = system.client("tehran"), system.client("tehran2")
    hook = f"{HERE}/webhook"
    books = Books(tmp_path / "books.sqlite", CITY)
    old, new = Address(books), Address(books)
    with listening({"/old": old, "/new": new}) as origin, quick_changes(system):
        made = one.put(hook, {"url": f"{origin}/old"})
        assert made.status == 201, made.text
        old.secrets.append(made.json["secret"])
        assert one.post(f"{hook}/challenges").json["challenge_passed"]
        with payments(system) as paid:
            system.wait_for(lambda: len(old.sequences) > 3, TOLD_WITHIN_S)
            rotated = one.post(f"{hook}/rotations", {"reason": "yearly"})
            assert rotated.status == 201, rotated.text
            new.secrets.append(rotated.json["secret"])
            moved = one.put(hook, {"url": f"{origin}/new", "reason": "another program"})
            assert (moved.status, moved.json["challenge_passed"]) == (202, True), moved.text
            account = one.put(f"{HERE}/account", {"iban": OTHER_IBAN, "holder": "شهرداری تهران", "reason": "بانک"})
            changes = [rotated.json["change"], moved.json["change"], account.json]
            ids = {change["change_id"] for change in changes}
            system.wait_for(lambda: ids <= {told["change_id"] for told in noticed(books)}, TOLD_WITHIN_S)
            decided = [two.post(f"{HERE}/changes/{change['change_id']}/approvals") for change in changes]
            assert [answer.status for answer in decided] == [200, 200, 200], [answer.text for answer in decided]
            old.secrets[:] = [rotated.json["secret"]]
            system.wait_for(lambda: len(new.sequences) > 3, TOLD_WITHIN_S)
        assert len(paid) > 1

        def everything() -> list[dict[str, Any]] | None:
            told = one.get(hook).json
            chain = [event["data"] for event in one.get(f"{HERE}/events?limit=500").json["events"]]
            return chain if told["delivered_sequence"] == told["head"] == len(chain) else None

        chain = system.wait_for(everything, TOLD_WITHIN_S)
    assert (set(old.statuses[1:]), set(new.statuses)) == ({200}, {200}), (
        "no failed check, but the first challenge's"
    )
    assert old.sequences + new.sequences == list(range(1, len(chain) + 1)), "each at the address that was in force"
    assert new.first_at >= decided[1].json["in_force_from_at"]
    assert [dict(event.data) for event in books.events()] == chain
    assert (books.faults(), books.gaps(only_open=True), books.contradictions()) == ([], [], [])
    told_to_the_old = [data["change"] for data in chain[: len(old.sequences)] if "change" in data]
    assert ids <= {change["change_id"] for change in told_to_the_old}, "announced by the old way"
    assert one.get(f"{HERE}/account").json["account"]["iban"] == OTHER_IBAN
    books.close()


def test_a_citys_daily_files_are_made_signed_listed_and_checked_by_the_command_line(
    system: System, tmp_path: Path
) -> None:
    """The events of a city are given their places two days ago, which no hash covers: its days are over then."""
    city = "TABRIZ"
    ledger = Table(system.outputs["LedgerTableName"], system.aws("dynamodb"))
    earlier = to_rfc3339(SystemClock().now() - timedelta(days=2))
    events = system.wait_for(lambda: EventLog(ledger).read(city, after=0, limit=500) or None, TOLD_WITHIN_S)
    partition = keys.chain_event(city, 1)[0]
    for item in ledger.query(partition):
        pk, sk = item["pk"], item["sk"]
        transact([ledger.put((pk, sk), {**item, "sequenced_at": earlier})], dynamodb=ledger.dynamodb)
    name = system.local.function_name("certify-event-files")
    answer = system.aws("lambda").invoke(FunctionName=name, Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert (told["failed"], told["days"] >= 2) == (0, True), told

    listed = system.client("auditor").get(f"/v1/municipalities/{city}/events/files").json["days"]
    assert [(day["sequence_from"], day["sequence_to"]) for day in listed] == [
        (len(events) + 1, len(events)),
        (1, len(events)),
    ]
    fetched = system.client(None)
    for day in listed:
        for one in (day["manifest"], *day["files"]):
            content = fetched.get(one["url"])
            assert content.status == 200, content.text
            assert hashlib.sha256(content.body).hexdigest() == one["sha256"]
            (tmp_path / one["name"]).write_bytes(content.body)
    (tmp_path / "keys.json").write_bytes(fetched.get("/.well-known/jwks.json").body)
    manifests = [str(path) for path in tmp_path.glob("*.jws")]
    assert main(["verify-events", *manifests, "--keys", str(tmp_path / "keys.json")]) == 0
    table = next(tmp_path.glob(f"*{listed[1]['day']}*.csv"))
    table.write_bytes(table.read_bytes().replace(b"account.changed", b"account.chanted", 1))
    assert main(["verify-events", *manifests, "--keys", str(tmp_path / "keys.json")]) == 1
    assert system.client("tehran").get(f"/v1/municipalities/{city}/events/files").status in (404, 422)


def test_an_officer_is_invited_lets_herself_in_and_is_taken_out(system: System) -> None:
    one, two, stranger = system.client("tehran"), system.client("tehran2"), system.client(None)
    invited = {"username": "tehran.karimi", "name": "مریم کریمی", "reason": "همکار تازهٔ درآمد"}
    made = one.post(f"{HERE}/officers", invited)
    assert made.status == 201, made.text
    body = {
        "municipality": CITY,
        "change_id": made.json["change_id"],
        "username": invited["username"],
        "code": made.json["code"],
        "password": "Shahrdari-1405-Karimi",
    }
    assert stranger.post("/v1/officer-activations", body).status == 401, "nobody has approved it"
    assert two.post(f"{HERE}/changes/{made.json['change_id']}/approvals").status == 200
    activated = stranger.post("/v1/officer-activations", body)
    assert (activated.status, activated.json["role"]) == (201, "officer"), activated.text
    assert stranger.post("/v1/officer-activations", body).status == 401, "a code works once"
    credentials = {name: body[name] for name in ("username", "password")}
    token = stranger.post("/v1/tokens", credentials).json["access_token"]
    officer = Client(system.origin, token)
    told = officer.get(f"{HERE}/onboarding").json
    assert invited["username"] in [one["username"] for one in told["officers"]]
    assert {step["what"]: step["done"] for step in told["steps"]}["account"] is True
    assert officer.get("/v1/municipalities/MASHHAD/onboarding").status == 404
    assert officer.post(f"{HERE}/officers", {**invited, "username": "tehran.more"}).status == 403, "no head"
    emblem = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7h-7z" fill="#085"/></svg>'
    assert officer.put(f"{HERE}/profile", {"emblem_svg": emblem}).json["emblem"] is True
    assert officer.put(f"{HERE}/profile", {"emblem_svg": emblem.replace("path", "text")}).status == 422
    removed = one.post(f"{HERE}/officers/{invited['username']}/removals", {"reason": "رفت"})
    assert removed.status == 200, removed.text
    assert stranger.post("/v1/tokens", credentials).status == 401
    assert officer.put(f"{HERE}/profile", {"emblem_svg": ""}).status == 200, (
        "her token lives on for an hour at most"
    )
