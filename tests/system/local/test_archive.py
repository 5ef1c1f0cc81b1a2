"""Packed rows of the local engine answer every call as rows do that were written one by one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avarez.dynamo import Table, transact
from demo.past.files import packed_lines
from infra.local.engine import CorruptState, Engine
from infra.local.process import any_free_port

pytestmark = pytest.mark.system
PARTITIONS = ("A#1", "A#2", "B#1")
ROWS = 40


def item_of(pk: str, number: int) -> dict[str, Any]:
    return {
        "pk": {"S": pk},
        "sk": {"S": f"{number:03d}"},
        "text": {"S": "ریال" * number},
        "parts": {"L": [{"M": {"n": {"N": str(number)}}}]},
    }


def created(engine: Engine, name: str) -> Table:
    attributes = ("pk", "sk", "pending")
    engine.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": of, "AttributeType": "S"} for of in attributes],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "undone",
                "KeySchema": [{"AttributeName": "pending", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(name, engine.client("dynamodb"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path / "data", any_free_port(set()))
    made.start()
    yield made
    made.kill()


def told(table: Table) -> list[Any]:
    """Everything that can be read, each way that the system reads."""
    asked: list[Any] = [table.get((pk, f"{number:03d}")) for pk in PARTITIONS for number in range(ROWS + 2)]
    ways: list[dict[str, Any]] = [{}, {"prefix": "01"}, {"upto": "017"}, {"beyond": "017"}]
    for way in ways:
        for more in ({}, {"limit": 7}, {"limit": 7, "descending": True}, {"descending": True}):
            asked += [table.query(pk, **way, **more) for pk in (*PARTITIONS, "C#1")]
    for forward in (True, False):
        pages = table.dynamodb.get_paginator("query").paginate(
            TableName=table.name,
            KeyConditionExpression="pk = :pk AND sk > :beyond",
            ExpressionAttributeValues={":pk": {"S": "A#1"}, ":beyond": {"S": "003"}},
            ScanIndexForward=forward,
            PaginationConfig={"PageSize": 9},
        )
        asked.append([page["Items"] for page in pages])
    undone = table.dynamodb.query(
        TableName=table.name,
        IndexName="undone",
        KeyConditionExpression="pending = :yes",
        ExpressionAttributeValues={":yes": {"S": "yes"}},
    )
    whole = table.dynamodb.scan(TableName=table.name)
    return [*asked, undone["Items"], whole["Items"], whole["Count"]]


def changed(table: Table) -> None:
    """Some packed rows written again, updated, deleted, refused; some new ones beside them."""
    new = "attribute_not_exists(pk)"
    transact([table.put(("A#1", "005"), {"text": "again"}), table.delete(("A#1", "006"))], dynamodb=table.dynamodb)
    transact([table.update(("A#2", "007"), {"text": "changed"}, "attribute_exists(pk)")], dynamodb=table.dynamodb)
    transact([table.put_new(("B#1", f"{ROWS:03d}"), {"pending": "yes"})], dynamodb=table.dynamodb)
    with pytest.raises(table.dynamodb.exceptions.ConditionalCheckFailedException):
        table.dynamodb.put_item(TableName=table.name, Item=item_of("A#1", 1), ConditionExpression=new)
    transact([table.delete(("B#1", f"{number:03d}")) for number in range(20)], dynamodb=table.dynamodb)


def test_packed_rows_answer_as_others_do_and_outlive_every_ending(engine: Engine, tmp_path: Path) -> None:
    items = [item_of(pk, number) for pk in PARTITIONS for number in range(ROWS)]
    plain, packed = created(engine, "plain"), created(engine, "packed")
    transact([packed.put(("A#1", "003"), {"text": "was here before"})], dynamodb=packed.dynamodb)
    for table in (plain, packed):
        transact([table.put(("A#3", "001"), {"pending": "yes"})], dynamodb=table.dynamodb)
    for start in range(0, len(items), 100):
        writes = [{"Put": {"TableName": "plain", "Item": item}} for item in items[start : start + 100]]
        transact(writes, dynamodb=plain.dynamodb)
    transact([plain.put(("A#1", "003"), {"text": "was here before"})], dynamodb=plain.dynamodb)
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"".join(packed_lines(items)))
    assert engine.archive("packed", [file]) == len(items) - 1
    assert engine.archive("packed", [file]) == 0, "once is enough"
    assert told(packed) == told(plain)
    for table in (plain, packed):
        changed(table)
    assert told(packed) == told(plain)
    for kill in (True, False):
        if kill:
            os.kill(engine.pid, signal.SIGKILL)
            engine.kill()
        else:
            engine.stop()
        engine.start()
        assert told(packed) == told(plain)


def test_table_outlives_a_kill_at_once_after_it_was_made(engine: Engine) -> None:
    for number in range(3):
        table = created(engine, f"made-{number}")
        transact([table.put(("A#1", "001"), {"text": "here"})], dynamodb=table.dynamodb)
        os.kill(engine.pid, signal.SIGKILL)
        engine.kill()
        engine.start()
        assert table.get(("A#1", "001")) == {"pk": "A#1", "sk": "001", "text": "here"}


def test_damaged_file_of_packed_rows_is_named(engine: Engine, tmp_path: Path) -> None:
    created(engine, "packed")
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"".join(packed_lines([item_of("A#1", number) for number in range(ROWS)])))
    engine.archive("packed", [file])
    engine.stop()
    kept = tmp_path / "data" / "engine" / "archive" / "packed" / "rows.jsonl"
    kept.write_bytes(kept.read_bytes().replace(b'"block":"', b'"block":"A', 1))
    with pytest.raises(CorruptState) as caught:
        engine.start()
    assert caught.value.path == kept
