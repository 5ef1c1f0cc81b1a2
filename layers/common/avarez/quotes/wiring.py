"""The quotes of a running function: the store and the tariff that its environment names."""

from __future__ import annotations

from typing import TypeAlias

from avarez.dynamo import Table
from avarez.quotes.quote import Quotes
from avarez.quotes.store import DutyStore, TariffStore
from avarez.settings import setting

StoredQuotes: TypeAlias = Quotes[DutyStore]


def quotes_from_environment() -> StoredQuotes:
    """Quotes over DUTY_TABLE and TARIFF_BUCKET."""
    table = Table(setting("DUTY_TABLE"))
    return Quotes(DutyStore(table), TariffStore(table, setting("TARIFF_BUCKET")))
