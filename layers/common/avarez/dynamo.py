"""DynamoDB as this system uses it: clients, items, and transactions whose outcome is always known.

boto3 retries by itself, so a write that succeeded may come back as a failed condition (a response was
lost, the retry met its own work). Whoever writes under a condition therefore says how to recognise its own
item, and this module reads it back before it reports a conflict.
"""

from __future__ import annotations

import functools
import json
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError as BotoCoreError
from botocore.exceptions import ClientError as ClientError
from botocore.exceptions import HTTPClientError

from avarez.errors import ServiceBusy, TransactionRefused
from avarez.keys import target

TRANSACTION_ITEMS_MAX = 100
QUERY_PAGE_MAX = 1_000
_CONFLICT_ATTEMPTS_MAX = 5
_CONFLICT_PAUSE_S = 0.02
_BATCH_GET_MAX = 100
"""Source: DynamoDB API reference, BatchGetItem."""
_BATCH_ATTEMPTS_MAX = 6
_BATCH_PAUSE_S = 0.03

_INT_PLAIN = 10**38
"""DynamoDB keeps 38 digits of a number. Source: its developer guide, data types."""

_RETRIES = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=20,
)
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()

_BUSY_CODES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "InternalServerError",
    "ServiceUnavailable",
}

Item = dict[str, Any]
Key = tuple[str, str]


@functools.cache
def client(service: str) -> Any:
    """The process's one client of this AWS service, made on first use."""
    # Signature version 4 by name: boto3 still presigns S3 addresses with version 2 in the oldest region.
    config = _RETRIES.merge(Config(signature_version="s3v4")) if service == "s3" else _RETRIES
    made = boto3.client(service, config=config)  # type: ignore[call-overload]  # the stubs know services by their literal names
    made.meta.events.register("before-parse", refuse_damaged)
    return made


def refuse_damaged(response_dict: Mapping[str, Any], operation_model: Any, **_: object) -> None:
    """Returns when a JSON answer is what its service sent: the SDK calls what it cannot read a success.

    DynamoDB sends a checksum with each answer; of the other services' an answer that is no JSON is found.

    Raises:
        HTTPClientError: the answer was damaged on its way, so the outcome of the call is not known.
    """
    body = response_dict["body"]
    if operation_model.service_model.resolved_protocol != "json" or not isinstance(body, bytes):
        return
    checksum = response_dict["headers"].get("x-amz-crc32")
    try:
        whole = zlib.crc32(body) == int(checksum) if checksum else not body or json.loads(body) is not None
    except ValueError:
        whole = False
    if not whole:
        raise HTTPClientError(error=f"the answer to {operation_model.name} is damaged")


def to_item(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The plain mapping in DynamoDB's typed form; members that are None are left out."""
    return {name: _typed(value) for name, value in plain.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    """As the SDK's serializer types it; what nearly every member is without its dozen questions."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int and -_INT_PLAIN < value < _INT_PLAIN:
        return {"N": str(value)}
    if kind is dict:
        return {"M": {name: _typed(member) for name, member in value.items()}}
    if kind is list:
        return {"L": [_typed(member) for member in value]}
    return dict(_serializer.serialize(value))


def from_item(typed: Mapping[str, Any]) -> Item:
    """The typed item as plain values; numbers become int, since no item holds a fraction."""
    return {name: _plain(_deserializer.deserialize(value)) for name, value in typed.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, set):
        return {_plain(member) for member in value}
    if type(value).__name__ == "Decimal":
        return int(value)
    if type(value).__name__ == "Binary":
        return bytes(value)
    return value


class Table:
    """One table, addressed by (pk, sk); every read is strongly consistent unless it says otherwise."""

    def __init__(self, name: str, dynamodb: Any | None = None) -> None:
        self.name = name
        self._dynamodb = dynamodb

    @property
    def dynamodb(self) -> Any:
        if self._dynamodb is None:
            self._dynamodb = client("dynamodb")
        return self._dynamodb

    def get(self, key: tuple[str, str], *, consistent: bool = True) -> Item | None:
        """The item at this key, or None."""
        with translated():
            answer = self.dynamodb.get_item(TableName=self.name, Key=_typed_key(key), ConsistentRead=consistent)
        return from_item(answer["Item"]) if "Item" in answer else None

    def follow(self, key: tuple[str, str]) -> Item | None:
        """The item that the row at this key leads to; None where either is missing."""
        row = self.get(key)
        return None if row is None else self.get(target(row))

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        limit: int = QUERY_PAGE_MAX,
        descending: bool = False,
        upto: str = "",
        beyond: str = "",
    ) -> list[Item]:
        """At most `limit` items of the partition, in the order of their sort keys.

        `prefix` restricts the sort key's beginning; without it `upto` is its upper end, or `beyond` what it must
        come after.
        """
        items: list[Item] = []
        for page in self._pages(pk, prefix, upto, beyond, limit, descending):
            items.extend(from_item(typed) for typed in page)
            if len(items) >= limit:
                return items[:limit]
        return items

    def _pages(
        self, pk: str, prefix: str, upto: str, beyond: str, limit: int, descending: bool
    ) -> Iterator[list[dict[str, Any]]]:
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition, values = (
                f"{condition} AND begins_with(sk, :prefix)",
                {**values, ":prefix": {"S": prefix}},
            )
        elif upto:
            condition, values = f"{condition} AND sk <= :upto", {**values, ":upto": {"S": upto}}
        elif beyond:
            condition, values = f"{condition} AND sk > :beyond", {**values, ":beyond": {"S": beyond}}
        start: dict[str, Any] = {}
        while True:
            with translated():
                answer = self.dynamodb.query(
                    TableName=self.name,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    Limit=min(limit, QUERY_PAGE_MAX),
                    ScanIndexForward=not descending,
                    **start,
                )
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    # -- the parts of a transaction ------------------------------------------------------------------

    def put(self, key: tuple[str, str], item: Mapping[str, Any], condition: str = "", **values: Any) -> Item:
        """A Put for `transact`; `values` fill the condition's `:name` places."""
        return {"Put": self._write({"Item": to_item({**item, "pk": key[0], "sk": key[1]})}, condition, values)}

    def put_new(self, key: tuple[str, str], item: Mapping[str, Any]) -> Item:
        """A Put that is refused when the key is taken."""
        return self.put(key, item, "attribute_not_exists(pk)")

    def update(
        self,
        key: tuple[str, str],
        changes: Mapping[str, Any],
        condition: str,
        *,
        remove: Sequence[str] = (),
        **values: Any,
    ) -> Item:
        """An Update that sets `changes` and removes `remove`; there is always a condition, never an ADD."""
        names = {f"#{name}": name for name in (*changes, *remove)}
        expression = "SET " + ", ".join(f"#{name} = :set_{name}" for name in changes)
        if remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
        write = self._write(
            {"Key": _typed_key(key), "UpdateExpression": expression},
            condition,
            {**values, **{f"set_{name}": value for name, value in changes.items()}},
        )
        write["ExpressionAttributeNames"] = {**names, **_reserved(condition)}
        return {"Update": write}

    def delete(self, key: tuple[str, str], condition: str = "", **values: Any) -> Item:
        return {"Delete": self._write({"Key": _typed_key(key)}, condition, values)}

    def check(self, key: tuple[str, str], condition: str, **values: Any) -> Item:
        return {"ConditionCheck": self._write({"Key": _typed_key(key)}, condition, values)}

    def _write(self, write: dict[str, Any], condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        write["TableName"] = self.name
        if condition:
            write["ConditionExpression"] = condition
            if names := _reserved(condition):
                write["ExpressionAttributeNames"] = names
        if values:
            write["ExpressionAttributeValues"] = to_item({f":{name}": value for name, value in values.items()})
        return write


def _reserved(condition: str) -> dict[str, str]:
    """`#name` places of a condition stand for the attribute of that very name (status, year, … are reserved)."""
    return {
        word: word[1:]
        for word in condition.replace("(", " ").replace(")", " ").replace(",", " ").split()
        if word[0] == "#"
    }


def _typed_key(key: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def transact(
    items: Sequence[Mapping[str, Any]],
    *,
    mine: Callable[[], bool] | None = None,
    dynamodb: Any | None = None,
) -> None:
    """Writes all items or none; returns when they are written, by this attempt or by an earlier one of ours.

    `mine` reads back and says whether what stands there is this very request's work. It is asked when a
    condition failed, since a retry after a lost response fails against itself.

    Raises:
        TransactionRefused: a condition failed, and it was not our own work; nothing was written.
        ServiceBusy: throttled or conflicting throughout; nothing was written that `mine` would know.
    """
    if len(items) > TRANSACTION_ITEMS_MAX:
        raise ValueError(f"a transaction holds at most {TRANSACTION_ITEMS_MAX} items, not {len(items)}")
    caller = dynamodb or client("dynamodb")
    for attempt in range(_CONFLICT_ATTEMPTS_MAX):
        try:
            caller.transact_write_items(TransactItems=list(items))
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise _translate(error) from error
            reasons = [
                None if reason.get("Code", "None") == "None" else str(reason["Code"])
                for reason in error.response.get("CancellationReasons", [])
            ]
            if "ConditionalCheckFailed" in reasons:
                if mine is not None and mine():
                    return
                raise TransactionRefused(reasons) from error
            if set(reasons) <= {
                None,
                "TransactionConflict",
                "ThrottlingError",
                "ProvisionedThroughputExceeded",
            }:
                time.sleep(_CONFLICT_PAUSE_S * 2**attempt * (0.5 + random.random()))  # noqa: S311 - jitter, no secret
                continue
            raise _translate(error) from error
        except BotoCoreError as error:
            if mine is not None and mine():
                return
            raise ServiceBusy(retry_after_s=1) from error
        else:
            return
    raise ServiceBusy(retry_after_s=1)


def batch_get(table: Table, wanted: Iterable[Key]) -> dict[Key, Item]:
    """The items at these keys that exist, by key; strongly consistent, any number of keys.

    Raises:
        ServiceBusy: some keys were still unprocessed after every attempt.
    """
    distinct = list(dict.fromkeys(wanted))
    found: dict[Key, Item] = {}
    for start in range(0, len(distinct), _BATCH_GET_MAX):
        pending = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in distinct[start : start + _BATCH_GET_MAX]]
        for attempt in range(_BATCH_ATTEMPTS_MAX):
            with translated():
                answer = table.dynamodb.batch_get_item(
                    RequestItems={table.name: {"Keys": pending, "ConsistentRead": True}}
                )
            for typed in answer["Responses"].get(table.name, []):
                item = from_item(typed)
                found[item["pk"], item["sk"]] = item
            pending = answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", [])
            if not pending:
                break
            time.sleep(_BATCH_PAUSE_S * 2**attempt)
        else:
            raise ServiceBusy(retry_after_s=1)
    return found


class translated:  # noqa: N801 - reads as a word in `with translated():`
    """Turns a foreign failure of the store into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            raise _translate(error) from error
        if isinstance(error, BotoCoreError):
            raise ServiceBusy(retry_after_s=1) from error


def _translate(error: ClientError) -> Exception:
    if error.response["Error"]["Code"] in _BUSY_CODES:
        return ServiceBusy(retry_after_s=1)
    return error
