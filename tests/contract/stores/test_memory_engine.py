"""The simulator's tables against an engine of DynamoDB: the same calls through `Table`, the same answers."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from moto import mock_aws

from avarez.dynamo import Table, batch_get, transact
from avarez.errors import TransactionRefused
from simulation.tables import MemoryEngine
from tests.contract.payments.test_payment_store import make_tables

ROUNDS = 250
PLACES = [(f"P#{partition}", f"{kind}#{number}") for partition in "ab" for kind in "xy" for number in range(3)]


def write(table: Table, random: Random) -> Any:
    key = random.choice(PLACES)
    value = random.randrange(3)
    item = {"status": f"s{value}", "number": value, "making": "", "rows": [{"n": value}]}
    match random.randrange(8):
        case 0:
            return table.put(key, item)
        case 1:
            return table.put_new(key, item)
        case 2:
            return table.put(key, item, "#number = :number AND making = :none", number=value, none="")
        case 3:
            return table.delete(key)
        case 4:
            return table.delete(key, "#status = :status", status=f"s{value}")
        case 5:
            return table.update(key, {"status": "new", "more": 7}, "attribute_exists(pk)", remove=["rows"])
        case 6:
            return table.update(key, {"making": f"m{value}"}, "#status = :s", s="s1")
        case _:
            return table.check(key, "attribute_not_exists(pk)")


def place_of(one: dict[str, Any]) -> tuple[str, str]:
    (of,) = one.values()
    at = of.get("Key") or of["Item"]
    return at["pk"]["S"], at["sk"]["S"]


def told(table: Table) -> list[Any]:
    """Everything that can be read, each way that the close reads."""
    asked: list[Any] = [batch_get(table, PLACES), [table.get(key) for key in PLACES]]
    for partition in ("P#a", "P#b", "P#none"):
        for more in ({}, {"prefix": "x"}, {"upto": "x#2"}, {"beyond": "x#1"}, {"limit": 2}, {"descending": True}):
            asked.append(table.query(partition, **more))
    return asked


def done(table: Table, writes: list[Any]) -> list[str | None] | None:
    try:
        transact(writes, dynamodb=table.dynamodb)
    except TransactionRefused as refused:
        return list(refused.reasons)
    return None


@mock_aws
def test_memory_answers_as_the_engine_does() -> None:
    real, _ = make_tables()
    random, memory = Random(7), Table("duty", MemoryEngine())
    refused = 0
    for round_number in range(ROUNDS):
        writes = [write(real, random) for _ in range(1 + round_number % 3)]
        if len({place_of(one) for one in writes}) < len(writes):
            continue  # DynamoDB takes one write of an item in a transaction
        outcome = done(real, writes)
        assert done(memory, writes) == outcome
        refused += outcome is not None
        if round_number % 25 == 0:
            assert told(memory) == told(real)
    assert told(memory) == told(real)
    assert 20 < refused < ROUNDS - 20


@pytest.mark.parametrize("condition", ["size(sk) > :a", "a = :a OR b = :a"])
def test_memory_refuses_what_it_does_not_know(condition: str) -> None:
    table = Table("duty", MemoryEngine())
    put = table.put(("a", "b"), {}, condition, a=1)
    with pytest.raises(ValueError, match="not a condition of ours"):
        transact([put], dynamodb=table.dynamodb)
