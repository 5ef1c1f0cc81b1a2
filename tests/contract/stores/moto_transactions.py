"""moto's transactions without a deep copy of the whole table for each of their items.

moto 5.2.5 keeps such copies to go back to where a condition fails (`transact_write_items` in its
`dynamodb/models/__init__.py`), which took most of the contract tests' time. Here what is kept are the rows'
references, and an update changes a copy of its row: rows are otherwise only put and taken out whole.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, Final

import moto
import pytest
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

KNOWN_VERSION: Final = "5.2.5"


def keep_references(patch: pytest.MonkeyPatch) -> None:
    """From here on transactions keep references; with a moto that we do not know everything stays as it is."""
    if moto.__version__ != KNOWN_VERSION:
        return
    update = DynamoDBBackend.update_item

    def update_a_copy(
        self: DynamoDBBackend, table_name: str, key: dict[str, Any], *given: Any, **named: Any
    ) -> Any:
        table = self.get_table(table_name)
        if _has_rows(table):
            rows = table.items.get(DynamoType(key[table.hash_key_attr]), {})
            place = DynamoType(key[str(table.range_key_attr)])
            if place in rows:
                rows[place] = copy.deepcopy(rows[place])
        return update(self, table_name, key, *given, **named)

    patch.setattr(models, "copy", SimpleNamespace(deepcopy=_kept, copy=copy.copy))
    patch.setattr(DynamoDBBackend, "update_item", update_a_copy)


def _has_rows(table: Table) -> bool:
    return table.range_key_attr is not None


def _kept(value: Any) -> Any:
    if not isinstance(value, Table) or not _has_rows(value):
        return copy.deepcopy(value)
    kept = copy.copy(value)
    kept.items = defaultdict(dict, {partition: dict(rows) for partition, rows in value.items.items()})
    if value.stream_shard is not None:
        kept.stream_shard = copy.copy(value.stream_shard)
        kept.stream_shard.items = list(value.stream_shard.items)
        kept.stream_shard.table = kept
    return kept
