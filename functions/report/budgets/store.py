"""Budgets in DynamoDB: every version an item of its own, in the city's partition, none changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avarez import keys
from avarez.dynamo import Item, Table, transact

VERSIONS_MAX: Final = 1_000
"""Of a city, over all its years."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version with the names of its files, and the officer who published it."""

    document: Mapping[str, Any]
    files: Mapping[str, str]
    by: str

    @property
    def year(self) -> int:
        return int(self.document["year"])

    @property
    def number(self) -> int:
        return int(self.document["version"])


class BudgetTable:
    """The versions of every city."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def of_city(self, municipality: str) -> Sequence[Version]:
        """All that the city published, the oldest year first, each year's versions in order."""
        partition, _ = keys.budget_version(municipality, 0, 0)
        return [_version(item) for item in self._ledger.query(partition, limit=VERSIONS_MAX)]

    def of_year(self, municipality: str, year: int) -> Sequence[Version]:
        """The year's versions in order; the last one stands."""
        partition, first = keys.budget_version(municipality, year, 0)
        prefix = first.partition("#")[0] + "#"
        return [_version(item) for item in self._ledger.query(partition, prefix, limit=VERSIONS_MAX)]

    def add(self, version: Version) -> None:
        """The version stands behind the one before.

        Raises:
            TransactionRefused: another version took its place.
        """
        municipality = str(version.document["municipality"])
        key = keys.budget_version(municipality, version.year, version.number)
        item = {"document": dict(version.document), "files": dict(version.files), "by": version.by}

        def mine() -> bool:
            stands = self._ledger.get(key)
            return stands is not None and _version(stands) == version

        transact([self._ledger.put_new(key, item)], mine=mine, dynamodb=self._ledger.dynamodb)


def _version(item: Item) -> Version:
    document = dict(item["document"])
    return Version({"actual": None, **document}, dict(item["files"]), str(item["by"]))
