"""Messages to owners: at most once, never at night, never after a stop or a sale, and nothing personal in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from avarez import keys
from avarez.dynamo import Table, to_item
from avarez.ids import new_id
from avarez.quotes.store import DutyStore
from functions.assess.online import mobile
from functions.assess.reminders import sweep
from functions.assess.reminders import wiring as reminder_wiring
from functions.assess.reminders.notices_adapter import FileNotices, MessageRefused, SnsNotices, notices_for
from functions.certify.stores.issuing_store import IssuingTable
from tests.contract.vehicles.test_owner import ANOTHERS, Online, _items, owners
from tests.contract.vehicles.test_rolls_and_quotes import good_rows, pay
from tests.unit.certificates.test_document import record

__all__ = ["owners"]
MOBILE = "09121234567"
ORIGIN = "https://avarez.example"


@dataclass
class Post:
    """Owners, the sweep, and the file that its messages go to."""

    online: Online
    file: Path

    def give(self, token: str, number: str = "۰۹۱۲ ۱۲۳ ۴۵۶۷", **more: Any) -> tuple[int, dict[str, Any]]:
        body = {"mobile": number, "consent": True, **more}
        return self.online.call("POST", "/v1/owner/mobile-numbers", body, token=token)

    def issue(self, number: int = 0) -> None:
        """What the issuer leaves in the outbox with a certificate of this car."""
        row = self.row(number)
        now = self.online.system.clock.now()
        made = record(
            certificate_id=new_id("ce", now), municipality="MASHHAD", plate=row.plate, vehicle_id=row.vehicle_id
        )
        for write in IssuingTable(Table("duty"), Table("ledger"))._reminder(made, now):
            boto3.client("dynamodb").transact_write_items(TransactItems=[write])  # type: ignore[list-item]

    def row(self, number: int) -> Any:
        store = DutyStore(Table("duty"))
        return store.find("plate", _key(self.online.cars[number]["plate"]))[0]

    def sweep(self) -> dict[str, Any]:
        return sweep.handle({}, None)

    @property
    def sent(self) -> list[dict[str, Any]]:
        return (
            [json.loads(line) for line in self.file.read_text("utf-8").splitlines()] if self.file.exists() else []
        )

    @property
    def waiting(self) -> int:
        return int(boto3.client("dynamodb").scan(TableName="ledger", Select="COUNT")["Count"])

    def set(self, **settings: int) -> None:
        pk, sk = keys.reminder_setting()
        item = to_item({"pk": pk, "sk": sk, **settings})
        boto3.client("dynamodb").put_item(TableName="duty", Item=item)

    def stop(self, token: str) -> tuple[int, dict[str, Any]]:
        return self.online.call("POST", "/v1/reminders/stops", {"token": token})


def _key(plate: str) -> str:
    from avarez.plates import parse_plate

    return parse_plate(plate).key


@pytest.fixture
def post(owners: Online, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Post]:
    """An owner's calls and the sweep over the same tables; the ledger has its index of what is undone."""
    file = tmp_path / "messages.jsonl"
    monkeypatch.setenv("MESSAGES_TO", f"file:{file}")
    monkeypatch.setenv("PUBLIC_ORIGIN", ORIGIN)
    dynamodb = boto3.client("dynamodb")
    dynamodb.delete_table(TableName="ledger")
    dynamodb.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "pending_shard", "created_at")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": [
                    {"AttributeName": "pending_shard", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    for module in (mobile, sweep):
        monkeypatch.setattr(module, "clock", owners.system.clock)
    reminder_wiring.reminders.cache_clear()
    yield Post(owners, file)
    reminder_wiring.reminders.cache_clear()


def test_number_is_kept_under_consent_and_sealed(post: Post) -> None:
    token = post.online.token(0)
    assert post.give(token, consent=False)[0] == 422
    assert post.give(token, "0212345678")[1]["errors"][0]["code"] == "mobile_malformed"
    assert post.give(token) == (201, {"mobile": "09•••••••67"})
    assert post.online.call("GET", "/v1/owner/mobile-numbers", token=token) == (200, {"mobile": "09•••••••67"})
    assert MOBILE not in json.dumps(_items(), default=repr)
    other = post.online.token(1)
    assert post.online.call("GET", "/v1/owner/mobile-numbers", token=other) == (200, {"mobile": None})


def test_certificate_is_told_once_without_anything_personal(post: Post) -> None:
    post.issue()  # nobody gave a number: no row
    assert post.waiting == 0
    post.give(post.online.token(0))
    post.issue()
    assert post.waiting == 1
    post.online.system.clock.advance(timedelta(seconds=1))
    assert post.sweep()["ready"] == {"sent": 1}
    assert post.sweep()["ready"] == {}
    assert post.waiting == 0
    (message,) = post.sent
    assert message["to"] == MOBILE
    assert message["text"].startswith("گواهی عوارض خودرو آماده است. https://avarez.example/my\n")
    assert "/my#/stop/" in message["text"]
    row = post.row(0)
    personal = (row.plate, row.vehicle_id, row.facts["make"], post.online.cars[0]["owner_id"], "ریال", "ce_")
    assert not [word for word in personal if word and word in message["text"]]


def test_same_row_twice_and_a_lost_delete_tell_once(post: Post) -> None:
    post.give(post.online.token(0))
    post.issue()
    post.online.system.clock.advance(timedelta(seconds=1))
    of, now = reminder_wiring.reminders(), post.online.system.clock.now()
    (row,) = of.rows.waiting(now, 10)
    assert [of.certificate_ready(row, now), of.certificate_ready(row, now)] == [["sent"], ["already"]]
    assert len(post.sent) == 1


def test_night_and_a_full_day_make_it_wait(post: Post) -> None:
    post.give(post.online.token(0))
    post.issue()
    post.online.system.clock.advance(timedelta(hours=11))  # half past ten in the evening in Tehran
    assert post.sweep()["ready"] == {}
    post.online.system.clock.advance(timedelta(hours=10))
    post.set(messages_a_day_max=0)
    assert post.sweep()["ready"] == {"later": 1}
    assert (post.sent, post.waiting) == ([], 1)
    post.set(messages_a_day_max=1)
    assert post.sweep()["ready"] == {"sent": 1}


def test_link_stops_every_message_to_the_number_for_ever_and_forgets_it(post: Post) -> None:
    post.give(post.online.token(0))
    post.give(post.online.token(1))
    post.issue()
    post.online.system.clock.advance(timedelta(seconds=1))
    post.sweep()
    token = post.sent[0]["text"].rpartition("/my#/stop/")[2]
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), "0" * 52, "x" * 20):
        assert post.stop(wrong)[1]["code"] == "stop_unknown"
    post.online.system.clock.advance(timedelta(days=2_000))
    assert post.stop(token) == (200, {"stopped": True})
    assert post.stop(token) == (200, {"stopped": True})
    contact = keys.contact(post.row(0).vehicle_id, post.row(0).owner_hash)
    assert "mobile_sealed" not in (Table("duty").get(contact) or {})
    for number in (0, 1):  # the other car's contact has the same number
        post.issue(number)
    post.online.system.clock.advance(timedelta(seconds=1))
    assert post.sweep()["ready"] == {"stopped": 2}
    assert len(post.sent) == 1
    assert post.give(post.online.token(0))[0] == 201  # who gives it again hears again
    post.issue()
    post.online.system.clock.advance(timedelta(seconds=1))
    assert post.sweep()["ready"] == {"sent": 1}


def test_former_owner_hears_nothing_after_the_sale(post: Post) -> None:
    post.give(post.online.token(0))
    header, row = good_rows(1)
    sold = row.replace(post.online.cars[0]["owner_id"], ANOTHERS)
    post.online.system.act(post.online.system.upload("MASHHAD", [header, sold]), "commit")
    post.issue()
    post.online.system.clock.advance(timedelta(seconds=1))
    assert post.sweep()["ready"] == {}
    assert (post.sent, post.waiting) == ([], 0)


def test_year_end_is_told_once_to_whoever_owes(post: Post) -> None:
    owing, paid = post.row(0), post.row(1)
    post.give(post.online.token(0), language="en")
    post.give(post.online.token(1), "09351112233")
    for year in range(1380, 1406):
        pay(paid.vehicle_id, year, "MASHHAD", paid.plate, 1_000)
    assert post.sweep()["year_ends"] == {}  # Azar: the end is far
    post.set(days_before_year_end=200)
    assert post.sweep()["year_ends"] == {"sent": 1, "owes_nothing": 1}
    assert post.sweep()["year_ends"] == {}
    (message,) = post.sent
    assert message["text"].startswith("The year is ending")
    assert owing.plate not in message["text"]


def test_clerk_keeps_a_number_for_the_owner_whom_the_roll_names(post: Post) -> None:
    plate = _key(post.online.cars[0]["plate"])
    body = {"mobile": MOBILE, "consent": True, "municipality": "MASHHAD"}
    claims = {"token_use": "access", "iss": "issuer", "client_id": "client", "username": "clerk", "serves": "*",
              "cognito:groups": ["office"]}  # fmt: skip
    event = {
        "routeKey": "POST /v1/vehicles/{plate}/mobile-numbers",
        "pathParameters": {"plate": plate},
        "requestContext": {
            "requestId": "r",
            "http": {"method": "POST"},
            "authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/vehicles.write"]}},
        },
        "body": json.dumps(body),
    }
    from functions.assess.online import handler

    assert handler.handle(event, None)["statusCode"] == 201
    assert handler.handle({**event, "pathParameters": {"plate": "99B999-99"}}, None)["statusCode"] == 404
    seen = post.online.call("GET", "/v1/owner/mobile-numbers", token=post.online.token(0))
    assert seen[1]["mobile"] == "09•••••••67"
    bare = dict(Table("duty").get(_row_key(post.row(0))) or {})
    del bare["owner_hash"]
    boto3.client("dynamodb").put_item(TableName="duty", Item=to_item(bare))
    assert json.loads(handler.handle(event, None)["body"])["code"] == "owner_unknown"


def _row_key(row: Any) -> keys.Key:
    from avarez.quotes.store import row_key

    return row_key(row.municipality, row.plate, row.version, row.vehicle_id)


def test_number_is_not_given_again_and_again(post: Post) -> None:
    token = post.online.token(0)
    codes = [post.give(token)[0] for _ in range(mobile.CAR_GIVEN_MAX + 1)]
    assert codes == [201] * mobile.CAR_GIVEN_MAX + [429]


def test_sns_gets_the_number_in_its_form_and_a_refusal_is_ours(post: Post) -> None:
    asked: list[dict[str, Any]] = []

    class Sns:
        def publish(self, **request: Any) -> None:
            asked.append(request)
            if len(asked) > 1:
                raise ClientError({"Error": {"Code": "OptedOut"}}, "Publish")

    now = post.online.system.clock.now()
    SnsNotices(Sns()).give(MOBILE, "text", now)
    assert asked[0]["PhoneNumber"] == "+989121234567"
    sns = SnsNotices(Sns())
    with pytest.raises(MessageRefused):
        sns.give(MOBILE, "text", now)
    assert isinstance(notices_for("file:/x"), FileNotices)
    assert isinstance(notices_for("sns"), SnsNotices)
    with pytest.raises(ValueError, match="MESSAGES_TO"):
        notices_for("")
