"""A city's daily files over S3 and DynamoDB (moto): the whole chain once, safe to repeat, and checked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import dynamo, keys
from avarez.certificates import jwks
from avarez.certificates.jwks import KeyStatus
from avarez.clock import to_rfc3339
from avarez.dynamo import Table, transact
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.events import files as event_files
from avarez.events.chain import GENESIS, Event, EventType, Head, Waiting, chained
from avarez.events.files import ManifestError, file_faults, follows, read_manifest
from avarez.events.log import EventLog, event_item, head_item
from avarez_cli.main import main
from functions.certify.event_files import daily, making
from functions.certify.event_files.files_store import DayTable, EventObjects
from functions.certify.event_files.making import Maker
from functions.pay.delivery import wiring
from functions.pay.delivery.pull import handler as pull
from functions.pay.delivery.pull.files_store import EventFiles
from tests.contract.events.test_endpoints import call
from tests.contract.pay_counter import Recorder, granted
from tests.contract.payments.test_payment_store import make_tables
from tests.data.certificate_vectors import ACTIVE, RETIRED, TestKey

CITY = "QOM"
NOON = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
FIRST_DAY = date(2026, 11, 24)
DAY = timedelta(days=1)
JWKS = {"keys": [jwks.published(ACTIVE.jwk, KeyStatus.ACTIVE)]}
KEYS = jwks.read_keys(JWKS)


@dataclass
class Office:
    """A city's chain, the maker of its files, and what a technician has on disk."""

    ledger: Table
    recorder: Recorder
    objects: EventObjects
    signer: TestKey = ACTIVE
    chain: list[Event] = field(default_factory=list)

    @property
    def maker(self) -> Maker:
        return Maker(EventLog(self.ledger), DayTable(self.ledger), self.objects, lambda: self.signer)

    def place(self, at: datetime, *, happened: datetime | None = None, plate: str = "12B345-67") -> None:
        """An event that gets its place at this instant, of something that happened then or earlier."""
        number = len(self.chain) + 1
        content: dict[str, Any] = {
            "payment": {
                "payment_id": f"py_{number}",
                "plate": plate,
                "amount_rial": "1240000",
                "channel": "gateway",
            },
            "entry": {
                "kind": "payment_settled",
                "gateway": "sandbox",
                "reference": f"r{number}",
                "years": [{"year": 1403, "amount_rial": "1000000"}, {"year": 1404, "amount_rial": "235000"}],
                "postings": [
                    {"account": "gateway_clearing:sandbox", "debit_rial": "1240000", "credit_rial": "0"},
                    {"account": f"municipality_payable:{CITY}", "debit_rial": "0", "credit_rial": "1234500"},
                    {"account": f"municipality_rounding:{CITY}", "debit_rial": "0", "credit_rial": "500"},
                    {"account": "platform_fee", "debit_rial": "0", "credit_rial": "5000"},
                ],
            },
        }
        waits = Waiting(f"ev_{number}", EventType.PAYMENT_SETTLED, CITY, f"py_{number}", happened or at, content)
        event = chained(waits, sequence=number, previous_hash=self.chain[-1].hash if self.chain else GENESIS)
        self.chain.append(event)
        item = event_item(event, to_rfc3339(at))
        head = self.ledger.put(keys.chain_head(CITY), head_item(Head(CITY, number, event.hash)))
        writes = [self.ledger.put_new(keys.chain_event(CITY, number), item), head]
        transact(writes, dynamodb=self.ledger.dynamodb)

    def make(self, now: datetime) -> int:
        return self.maker.make_due(CITY, now, lambda: True)

    def rows(self) -> list[dict[str, Any]]:
        return self.ledger.query(*keys.event_files(CITY, ""))

    def fetch(self, folder: Path) -> list[Path]:
        """Every day's files, as a technician would lay them down; the manifests' places."""
        s3 = boto3.client("s3")
        manifests = []
        for row in self.rows():
            for one in row["files"]:
                content = s3.get_object(Bucket="documents", Key=one["key"])["Body"].read()
                (folder / one["name"]).write_bytes(content)
            manifests.append(folder / row["manifest_key"].rpartition("/")[2])
            manifests[-1].write_bytes(s3.get_object(Bucket="documents", Key=row["manifest_key"])["Body"].read())
        return manifests


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LEDGER_TABLE": "ledger",
        "TOKEN_ISSUER": "issuer",
        "USER_POOL_CLIENT_ID": "client",
    }.items():
        monkeypatch.setenv(name, value)
    dynamo.client.cache_clear()
    with mock_aws():
        _, ledger = make_tables()
        boto3.client("s3").create_bucket(Bucket="documents")
        recorder = Recorder(ledger.dynamodb)
        yield Office(Table("ledger", recorder), recorder, EventObjects("documents", boto3.client("s3")))
    dynamo.client.cache_clear()


@pytest.fixture
def jwks_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(JWKS), "utf-8")
    return path


def verify(capsys: pytest.CaptureFixture[str], jwks_file: Path, *manifests: Path) -> tuple[int, Any]:
    code = main(["verify-events", *map(str, manifests), "--keys", str(jwks_file), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_days_together_are_the_chain_with_empty_days_and_late_events(
    office: Office, tmp_path: Path, jwks_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for minute in range(5):
        office.place(NOON + timedelta(minutes=minute))
    office.place(NOON + 2 * DAY, happened=NOON)
    office.place(NOON + 2 * DAY)
    assert office.make(NOON + 3 * DAY) == 3
    manifests = office.fetch(tmp_path)
    code, told = verify(capsys, jwks_file, *reversed(manifests))
    assert (code, told["valid"]) == (0, True)
    days = [(one["day"], one["sequence_from"], one["sequence_to"], one["late"]) for one in told["days"]]
    assert days == [("2026-11-24", 1, 5, 0), ("2026-11-25", 6, 5, 0), ("2026-11-26", 6, 7, 1)]
    lines = [line for path in sorted(tmp_path.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    assert [json.loads(line) for line in lines] == [event.data for event in office.chain]
    assert verify(capsys, jwks_file, manifests[0], manifests[2])[0] == 1, "a day is missing"


def test_a_spreadsheet_opens_the_table_and_computes_nothing(office: Office, tmp_path: Path) -> None:
    office.place(NOON, plate='=HYPERLINK("https://example.ir","ب")')
    office.place(NOON, plate="＝1+1\t")
    office.make(NOON + DAY)
    office.fetch(tmp_path)
    (path,) = tmp_path.glob("*.csv")
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {row["plate"][0] for row in rows} == {"'"}
    assert not [
        cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "＝")
    ]
    first = rows[0]
    assert (first["city_rial"], first["amount_rial"], first["years"], first["late"]) == (
        "1235000",
        "1240000",
        "1403 1404",
        "",
    )
    assert json.loads(first["data"]) == office.chain[0].data


def test_a_day_is_made_once_whoever_repeats_it(office: Office, tmp_path: Path) -> None:
    office.place(NOON)
    assert (office.make(NOON), office.make(NOON + DAY), office.make(NOON + DAY)) == (0, 1, 0)
    before = office.rows()
    last = DayTable(office.ledger).last(CITY)
    assert last is not None
    with pytest.raises(TransactionRefused):
        office.maker._make(CITY, FIRST_DAY, None, NOON + DAY + timedelta(minutes=1))
    assert (office.rows(), DayTable(office.ledger).last(CITY)) == (before, last)
    midnight = datetime(2026, 11, 25, 20, 30, tzinfo=UTC)
    assert office.make(midnight + timedelta(minutes=9)) == 0, "a writer may still be at it"
    assert office.make(midnight + timedelta(minutes=10)) == 1


@pytest.mark.parametrize("dies_at", range(1, 4))
def test_a_run_that_is_killed_anywhere_leaves_nothing_that_the_next_one_cannot_finish(
    office: Office, tmp_path: Path, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.place(NOON)
    genuine, calls = EventObjects._keep, 0

    def keep(self: EventObjects, key: str, name: str, content: bytes) -> None:
        nonlocal calls
        genuine(self, key, name, content)
        calls += 1
        if calls == dies_at:
            raise ServiceBusy()

    monkeypatch.setattr(EventObjects, "_keep", keep)
    with pytest.raises(ServiceBusy):
        office.make(NOON + DAY)
    assert office.rows() == []
    assert office.make(NOON + DAY) == 1
    (manifest,) = office.fetch(tmp_path)
    told = read_manifest(manifest.read_text("ascii"), KEYS)
    assert list(file_faults(told, {path.name: path.read_bytes() for path in tmp_path.glob("QOM*")})) == []


def test_many_events_are_cut_into_files_that_follow_each_other(
    office: Office,
    tmp_path: Path,
    jwks_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "EVENTS_PER_FILE", 3)
    monkeypatch.setattr(making, "READ_MAX", 2)
    for _ in range(9):
        office.place(NOON)
    office.place(NOON + DAY)
    office.make(NOON + 2 * DAY)
    manifests = office.fetch(tmp_path)
    assert [one["events"] for one in office.rows()[0]["files"]] == [3] * 6
    assert verify(capsys, jwks_file, *manifests)[0] == 0


def test_whatever_is_changed_is_found(
    office: Office, tmp_path: Path, jwks_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office.place(NOON)
    office.place(NOON)
    office.make(NOON + DAY)
    (path,) = office.fetch(tmp_path)
    token = path.read_text("ascii")
    manifest = read_manifest(token, KEYS)
    files = {one.name: (tmp_path / one.name).read_bytes() for one in manifest.files}
    for name, content in files.items():
        for other in (content[:-1], content.replace(b"1240000", b"1240001"), b""):
            assert list(file_faults(manifest, {**files, name: other})), name
        (tmp_path / name).write_bytes(content.replace(b"1240000", b"1240001"))
        code, told = verify(capsys, jwks_file, path)
        assert (code, told["valid"]) == (1, False)
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).rename(tmp_path / "elsewhere")
        assert "missing" in verify(capsys, jwks_file, path)[1]["days"][0]["faults"][0]
        (tmp_path / "elsewhere").rename(tmp_path / name)
    head, body, signature = token.split(".")
    for forged in (
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body[:-1]}A.{signature}",
        f"{head}.{body}",
        "é",
        "",
    ):
        path.write_text(forged, "utf-8")
        code, told = verify(capsys, jwks_file, path)
        assert (code, "faults" in told["days"][0]) == (1, True), forged
    assert verify(capsys, jwks_file, tmp_path / "keys.json")[0] == 1


def test_a_manifest_by_a_strange_or_stolen_key_is_none(office: Office, tmp_path: Path) -> None:
    office.signer = RETIRED
    office.place(NOON)
    office.make(NOON + DAY)
    (path,) = office.fetch(tmp_path)
    token = path.read_text("ascii")
    with pytest.raises(ManifestError, match="not known"):
        read_manifest(token, KEYS)
    stolen = jwks.published(RETIRED.jwk, KeyStatus.COMPROMISED, compromised_at=NOON)
    with pytest.raises(ManifestError, match="stolen"):
        read_manifest(token, jwks.read_keys({"keys": [stolen]}))
    retired = jwks.read_keys({"keys": [jwks.published(RETIRED.jwk, KeyStatus.RETIRED)]})
    manifest = read_manifest(token, retired)
    assert follows(None, "", manifest) == ""
    assert "follow" in follows(manifest, "another token", manifest)


def test_a_manifest_that_lies_about_its_files_is_found(office: Office, tmp_path: Path) -> None:
    """Signed by us and wrong all the same: the files are held to the chain's own rules."""
    office.place(NOON)
    office.place(NOON)
    office.make(NOON + DAY)
    (path,) = office.fetch(tmp_path)
    manifest = read_manifest(path.read_text("ascii"), KEYS)
    one = event_files.json_lines(office.chain[:1])
    table = event_files.csv_file(office.chain[:1], FIRST_DAY)
    short = {manifest.files[0].name: one, manifest.files[1].name: table}
    entries = tuple(event_files.entry_of(name, content, 1) for name, content in short.items())
    assert list(file_faults(replace(manifest, files=entries), short)) == ["the files end at 1, the manifest at 2"]
    late = replace(manifest, previous_hash="1" * 64)
    files = {entry.name: (tmp_path / entry.name).read_bytes() for entry in manifest.files}
    assert list(file_faults(late, files)) == ["event 1 does not hold the hash of the event before it"]


def test_the_clock_makes_every_citys_days_within_its_grants_and_a_failure_holds_nobody_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.place(NOON)
    monkeypatch.setattr(daily, "clock", type("At", (), {"now": lambda self: NOON + 2 * DAY})())
    monkeypatch.setattr(daily, "maker", lambda: office.maker)
    monkeypatch.setattr(daily, "Table", lambda name: office.ledger)
    office.recorder.used.clear()
    assert daily.handle({}, None) == {"days": 2, "failed": 0}
    assert office.recorder.used <= granted("certify-event-files")

    class Refusing:
        def make_due(self, *arguments: Any) -> int:
            raise ServiceBusy()

    monkeypatch.setattr(daily, "maker", Refusing)
    assert daily.handle({}, None) == {"days": 0, "failed": 1}


def test_officers_list_the_files_of_their_city_and_of_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.place(NOON)
    office.make(NOON + 35 * DAY)
    monkeypatch.setattr(wiring, "event_files", lambda: EventFiles(office.ledger, "documents"))
    here = f"/v1/municipalities/{CITY}/events/files"
    office.recorder.used.clear()
    status, told = call(pull, "GET", here)
    assert (status, len(told["days"]), told["days"][0]["day"], told["cursor"]) == (
        200,
        31,
        "2026-12-28",
        "2026-11-28",
    )
    assert office.recorder.used <= granted("pay-events")
    status, older = call(pull, "GET", here, query={"cursor": told["cursor"]})
    assert [day["day"] for day in older["days"]] == ["2026-11-27", "2026-11-26", "2026-11-25", "2026-11-24"]
    assert older["cursor"] is None
    day = older["days"][-1]
    assert [one["name"] for one in day["files"]] == ["QOM-2026-11-24-001.jsonl", "QOM-2026-11-24-001.csv"]
    assert "/events/QOM/2026-11-24/" in day["manifest"]["url"]
    assert call(pull, "GET", here, query={"cursor": "2026/11/24"})[0] == 422
    assert call(pull, "GET", here.replace(CITY, "YAZD"))[1]["code"] == "municipality_unknown"
