"""Transactions whose outcome is always known, over moto's store."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import HTTPClientError, ReadTimeoutError
from moto import mock_aws

from avarez import dynamo
from avarez.dynamo import Table, from_item, to_item, transact
from avarez.errors import ServiceBusy, TransactionRefused


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        dynamodb.create_table(
            TableName="duty",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        yield Table("duty", dynamodb)


def test_items_come_back_as_they_went(table: Table) -> None:
    item = {"status": "paid", "amount_rial": 10**15, "years": [{"year": 1401}], "raw": b"\x00", "absent": None}
    transact([table.put_new(("a", "b"), item)], dynamodb=table.dynamodb)
    stored = table.get(("a", "b"))
    assert stored == {"pk": "a", "sk": "b", **{name: value for name, value in item.items() if value is not None}}
    assert from_item(to_item(item))["amount_rial"] == 10**15


def test_update_names_the_state_it_expects(table: Table) -> None:
    transact([table.put_new(("a", "b"), {"status": "created", "token": "t"})], dynamodb=table.dynamodb)
    change = table.update(("a", "b"), {"status": "pending"}, "#status = :was", remove=["token"], was="created")
    transact([change], dynamodb=table.dynamodb)
    assert table.get(("a", "b")) == {"pk": "a", "sk": "b", "status": "pending"}
    with pytest.raises(TransactionRefused) as refusal:
        transact([change], dynamodb=table.dynamodb)
    assert refusal.value.reasons == ("ConditionalCheckFailed",)


def test_refusal_that_meets_its_own_work_is_success(table: Table) -> None:
    write = [table.put_new(("a", "b"), {"request_id": "r-1"})]
    transact(write, dynamodb=table.dynamodb)

    def mine() -> bool:
        return (table.get(("a", "b")) or {}).get("request_id") == "r-1"

    transact(write, mine=mine, dynamodb=table.dynamodb)
    with pytest.raises(TransactionRefused):
        transact(write, mine=lambda: False, dynamodb=table.dynamodb)


class LostResponse:
    """A client whose first write succeeds but whose response is lost."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.calls = inner, 0

    def transact_write_items(self, **request: Any) -> Any:
        self.calls += 1
        self.inner.transact_write_items(**request)
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def test_lost_response_is_read_back(table: Table) -> None:
    lossy = LostResponse(table.dynamodb)
    write = [table.put_new(("a", "b"), {"request_id": "r-1"})]
    transact(write, mine=lambda: table.get(("a", "b")) is not None, dynamodb=lossy)
    assert lossy.calls == 1
    with pytest.raises(ServiceBusy):
        transact([table.put(("a", "c"), {})], dynamodb=LostResponse(table.dynamodb))


def test_refused_transaction_leaves_every_row_as_it_was(table: Table) -> None:
    """Of the table that the tests run on, as much as of ours: what was put, changed and deleted comes back."""
    rows: dict[tuple[str, str], dict[str, Any]] = {
        ("p", "1"): {"n": 1, "of": {"deep": [1]}},
        ("p", "2"): {"n": 2},
        ("q", "1"): {"n": 3},
    }
    transact([table.put_new(key, row) for key, row in rows.items()], dynamodb=table.dynamodb)
    writes = [
        table.update(("p", "1"), {"n": 10, "of": {"deep": [2]}}, "attribute_exists(pk)"),
        table.delete(("p", "2")),
        table.put(("q", "1"), {"n": 30}),
        table.put_new(("q", "2"), {"n": 4}),
    ]
    with pytest.raises(TransactionRefused):
        transact([*writes, table.check(("r", "1"), "attribute_exists(pk)")], dynamodb=table.dynamodb)
    assert {key: table.get(key) for key in rows} == {
        key: {**row, "pk": key[0], "sk": key[1]} for key, row in rows.items()
    }
    assert table.get(("q", "2")) is None
    transact([*writes], dynamodb=table.dynamodb)
    found = [table.get(key) for key in (("p", "1"), ("p", "2"), ("q", "1"), ("q", "2"))]
    assert [row and row["n"] for row in found] == [10, None, 30, 4]


def test_query_pages_until_the_limit(table: Table) -> None:
    for number in range(30):
        transact([table.put_new(("p", f"N#{number:02d}"), {"n": number})], dynamodb=table.dynamodb)
    assert [item["n"] for item in table.query("p", "N#", limit=7)] == list(range(7))
    assert [item["n"] for item in table.query("p", "N#", limit=2, descending=True)] == [29, 28]
    assert [item["n"] for item in table.query("p", upto="N#03")] == [0, 1, 2, 3]
    assert len(table.query("p")) == 30


def test_too_large_a_transaction_is_refused_before_it_is_sent(table: Table) -> None:
    with pytest.raises(ValueError, match="at most 100"):
        transact([table.delete(("a", str(number))) for number in range(101)], dynamodb=table.dynamodb)


@pytest.mark.parametrize(
    ("service", "operation", "body", "checksum", "whole"),
    [
        ("dynamodb", "GetItem", b'{"Item": {}}', None, True),
        ("dynamodb", "GetItem", b'{"Item": {}}', b'{"Item": {}}', True),
        ("dynamodb", "GetItem", b'{"Item": []}', b'{"Item": {}}', False),
        ("dynamodb", "TransactWriteItems", b"\x84\x82", b"{}", False),
        ("kms", "Sign", b'{"Signature": "QUJ', None, False),
        ("kms", "Sign", b"\x84{}", None, False),
        ("sqs", "SendMessage", b"", None, True),
    ],
)
def test_damaged_answer_is_no_answer(
    service: str, operation: str, body: bytes, checksum: bytes | None, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    dynamo.client.cache_clear()
    made = dynamo.client(service)
    answer = {
        "status_code": 200,
        "headers": {} if checksum is None else {"x-amz-crc32": str(zlib.crc32(checksum))},
        "body": body,
    }

    def parse() -> None:
        made.meta.events.emit(
            f"before-parse.{service}.{operation}",
            operation_model=made.meta.service_model.operation_model(operation),
            response_dict=answer,
            customized_response_dict={},
        )

    try:
        if whole:
            parse()
        else:
            with pytest.raises(HTTPClientError, match="damaged"):
                parse()
    finally:
        dynamo.client.cache_clear()
