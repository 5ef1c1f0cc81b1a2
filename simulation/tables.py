"""The part of DynamoDB that the daily close uses, in memory; `tests/contract` holds it to an engine's answers.

The real adapters of closes, transfers and bank statements run over it unchanged. What it does not know it refuses.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from avarez.dynamo import ClientError

Typed = dict[str, Any]
_ATOM = re.compile(r"(#?\w+) = (:\w+)|(attribute_exists|attribute_not_exists)\((#?\w+)\)", re.ASCII)
_KEYS = re.compile(r"pk = :pk(?: AND (begins_with\(sk, :prefix\)|sk <= :upto|sk > :beyond))?", re.ASCII)
_UPDATE = re.compile(r"SET (?P<set>.+?)(?: REMOVE (?P<remove>.+))?", re.ASCII)
_RANGES: Mapping[str | None, tuple[str, Callable[[str, str], bool]]] = {
    None: ("", lambda sk, bound: True),
    "begins_with(sk, :prefix)": (":prefix", str.startswith),
    "sk <= :upto": (":upto", lambda sk, bound: sk <= bound),
    "sk > :beyond": (":beyond", lambda sk, bound: sk > bound),
}


class MemoryEngine:
    """A client of DynamoDB over dictionaries: conditional transactions, reads by key and by partition."""

    def __init__(self) -> None:
        self.partitions: defaultdict[tuple[str, str], dict[str, Typed]] = defaultdict(dict)

    def get_item(self, *, TableName: str, Key: Typed, ConsistentRead: bool) -> Typed:  # noqa: N803 - the client's names
        item = self._at(TableName, Key)
        return {} if item is None else {"Item": item}

    def batch_get_item(self, *, RequestItems: Mapping[str, Mapping[str, Any]]) -> Typed:  # noqa: N803
        found = {
            table: [item for key in asked["Keys"] if (item := self._at(table, key)) is not None]
            for table, asked in RequestItems.items()
        }
        return {"Responses": found}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Typed,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
        Limit: int,  # noqa: N803
        ScanIndexForward: bool,  # noqa: N803
        ExclusiveStartKey: Typed | None = None,  # noqa: N803
    ) -> Typed:
        asked = _KEYS.fullmatch(KeyConditionExpression)
        if asked is None:
            raise ValueError(f"not a query of ours: {KeyConditionExpression}")
        name, within = _RANGES[asked[1]]
        bound = ExpressionAttributeValues[name]["S"] if name else ""
        rows = self.partitions[TableName, ExpressionAttributeValues[":pk"]["S"]]
        places = sorted((sk for sk in rows if within(sk, bound)), reverse=not ScanIndexForward)
        first = places.index(ExclusiveStartKey["sk"]["S"]) + 1 if ExclusiveStartKey else 0
        page = [rows[sk] for sk in places[first : first + Limit]]
        if first + Limit >= len(places):
            return {"Items": page}
        return {"Items": page, "LastEvaluatedKey": {name: page[-1][name] for name in ("pk", "sk")}}

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803
        writes = [next(iter(item.items())) for item in TransactItems]
        held = [self._holds(write) for _, write in writes]
        if not all(held):
            reasons = [{"Code": "None" if holds else "ConditionalCheckFailed"} for holds in held]
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]  # as botocore makes it
        for kind, write in writes:
            self._apply(kind, write)

    def _apply(self, kind: str, write: Mapping[str, Any]) -> None:
        key = _key(write)
        rows = self.partitions[write["TableName"], key["pk"]["S"]]
        place = key["sk"]["S"]
        if kind == "Put":
            rows[place] = write["Item"]
        elif kind == "Delete":
            rows.pop(place, None)
        elif kind == "Update":
            rows[place] = self._updated(rows.get(place, key), write)
        elif kind != "ConditionCheck":
            raise ValueError(f"not a write of ours: {kind}")

    def _updated(self, before: Typed, write: Mapping[str, Any]) -> Typed:
        asked = _UPDATE.fullmatch(write["UpdateExpression"])
        if asked is None:
            raise ValueError(f"not an update of ours: {write['UpdateExpression']}")
        names, values = write["ExpressionAttributeNames"], write["ExpressionAttributeValues"]
        pairs = [pair.split(" = ") for pair in asked["set"].split(", ")]
        after = before | {names[name]: values[value] for name, value in pairs}
        for name in (asked["remove"] or "").split(", "):
            after.pop(names.get(name, ""), None)
        return after

    def _holds(self, write: Mapping[str, Any]) -> bool:
        item = self._at(write["TableName"], _key(write)) or {}
        names = write.get("ExpressionAttributeNames", {})
        for name, value, function in _atoms(write.get("ConditionExpression", "")):
            stands = item.get(names.get(name, name))
            if value and stands != write["ExpressionAttributeValues"][value]:
                return False
            if function and (stands is not None) != (function == "attribute_exists"):
                return False
        return True

    def _at(self, table: str, key: Typed) -> Typed | None:
        return self.partitions[table, key["pk"]["S"]].get(key["sk"]["S"])


def _key(write: Mapping[str, Any]) -> Typed:
    of: Typed = write["Key"] if "Key" in write else write["Item"]
    return {"pk": of["pk"], "sk": of["sk"]}


@cache
def _atoms(condition: str) -> tuple[tuple[str, str, str], ...]:
    """Name, value and function of each condition that must hold."""
    found: list[tuple[str, str, str]] = []
    for text in condition.split(" AND ") if condition else ():
        atom = _ATOM.fullmatch(text)
        if atom is None:
            raise ValueError(f"not a condition of ours: {text}")
        found.append((atom[1] or atom[4], atom[2] or "", atom[3] or ""))
    return tuple(found)
