"""A payment's cost: units from recorded calls, money from units, and the document that says so."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from benchmarks.cost import document
from benchmarks.cost.units import Units, a_month, cost_usd, counted
from infra.local.engine_process.recording import read_half_units, write_units


def size_of(item: Mapping[str, Any]) -> int:
    return int(item.get("size", 0))


@pytest.mark.parametrize(
    ("action", "asked", "answered", "halves"),
    [
        ("GetItem", {"ConsistentRead": True}, {"Item": {"size": 4096}}, 2),
        ("GetItem", {"ConsistentRead": True}, {"Item": {"size": 4097}}, 4),
        ("GetItem", {}, {}, 1),
        ("Query", {"ConsistentRead": True}, {"Items": [{"size": 3000}, {"size": 3000}]}, 4),
        ("Query", {}, {"Items": []}, 1),
        ("TransactGetItems", {}, {"Responses": [{"Item": {"size": 1}}, {}]}, 8),
        ("BatchGetItem", {"RequestItems": {"t": {"Keys": [1, 2, 3], "ConsistentRead": True}}},
         {"Responses": {"t": [{"size": 5000}, {"size": 10}]}}, 8),
        ("PutItem", {}, {}, 0),
    ],
)  # fmt: skip
def test_reads_cost_by_size_and_consistency(
    action: str, asked: dict[str, Any], answered: dict[str, Any], halves: int
) -> None:
    assert read_half_units(action, asked, answered, size_of) == halves


def test_transaction_costs_what_is_told_and_two_for_each_checked_condition() -> None:
    asked = {"TransactItems": [{"Put": {"Item": {"size": 1500}}}, {"ConditionCheck": {}}, {"Update": {}}]}
    told = {"ConsumedCapacity": [{"CapacityUnits": 6.0}, {"CapacityUnits": 1.0}]}
    assert write_units("TransactWriteItems", asked, told, size_of) == 9
    assert write_units("TransactWriteItems", asked, {}, size_of) == 4 + 2 + 2, "a refused one costs as well"
    assert write_units("UpdateItem", {}, {}, size_of) == 1
    assert write_units("GetItem", {}, {"ConsumedCapacity": {"CapacityUnits": 1.0}}, size_of) == 0


def test_units_are_counted_by_function_and_nobody_elses() -> None:
    lines = [
        {"function": "pay", "service": "lambda", "action": "invocation", "status": 200, "duration_ms": 100,
         "memory_mb": 512, "log_bytes": 400},
        {"function": "pay", "service": "dynamodb", "action": "TransactWriteItems", "status": 200, "writes": 5,
         "read_half_units": 0, "write_units": 12},
        {"function": "pay", "service": "sqs", "action": "SendMessage", "status": 200, "bytes": 10},
        {"function": "issue", "service": "kms", "action": "Sign", "status": 200, "bytes": 10},
        {"function": "issue", "service": "kms", "action": "GetPublicKey", "status": 200, "bytes": 10},
        {"function": "issue", "service": "s3", "action": "PUT", "status": 200, "bytes": 80_000},
        {"function": "", "service": "s3", "action": "PUT", "status": 200, "bytes": 1},
    ]  # fmt: skip
    found = counted(lines, {"pay"})
    assert found["pay"] == Units(
        http_requests=1, lambda_requests=1, lambda_mb_ms=51_200, transactions=1, transaction_items=5,
        table_requests=1, write_units=12, sqs_requests=3, log_bytes=400,
    )  # fmt: skip
    assert found["issue"] == Units(kms_signatures=1, kms_other_requests=1, s3_puts=1, s3_put_bytes=80_000)
    assert set(found) == {"pay", "issue"}


def test_money_is_units_times_prices() -> None:
    units = Units(write_units=40, read_half_units=3, lambda_mb_ms=1024 * 1000)
    prices = {name: {"price": price} for name, price in
              (("write_units", "0.625"), ("read_units", "0.125"), ("lambda_gb_seconds", "13.3334"))}  # fmt: skip
    assert cost_usd(units, prices) == {
        "write_units": Decimal("0.000025"),
        "read_units": Decimal("0.0000001875"),
        "lambda_gb_seconds": Decimal("0.0000133334"),
    }


def test_month_has_each_schedules_ticks() -> None:
    assert a_month({1: Units(lambda_requests=2), 60: Units(lambda_requests=1)}).lambda_requests == 2 * 43_200 + 720


def test_document_is_what_the_measurement_and_the_prices_come_to() -> None:
    text = document.DOCUMENT.read_text(encoding="utf-8")
    measured, prices = document.load("measured"), document.load("prices")
    assert document.written(text, document.tables(measured, prices)) == text, (
        "run python -m benchmarks.cost.document"
    )
    by_function = sum((Units(**one) for one in measured["functions"].values()), start=Units())
    assert Units(**measured["units"]) == by_function
    assert set(document.NAMES) == set(prices["usd_per_million"])
    assert all(price["source"] for price in prices["usd_per_million"].values())
