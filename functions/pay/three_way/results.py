"""The results of a day as they are kept and told: by city, with everything open by name, age and owner. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.jalali import format_jalali
from avarez.money import format_rial
from functions.pay.three_way.days import NATIONAL, Day
from functions.pay.three_way.matching import EXPLAINED, Item, age_days, bucket, totals

OPEN_SHOWN_MAX: Final = 100
"""Differences that one answer names; the counts are of all of them."""


def name_of(item: Item) -> str:
    """What a difference of a day is known by; the payment besides, where one reference was given to two."""
    return item.reference if item.ours_rial or not item.payment_id else f"{item.reference}#{item.payment_id}"


def difference_row(day: Day, name: str, item: Item, *, task: bool) -> dict[str, Any]:
    """A difference as it is kept; its task is the same with an id and a status."""
    return {
        "kind": "reconciliation",
        "name": name,
        "task": task,
        "operator": day.operator,
        "day": day.day.isoformat(),
        "opened_at": to_rfc3339(day.at),
        **_kept(item),
    }


def _kept(item: Item) -> dict[str, Any]:
    return {
        "reference": item.reference,
        "payment_id": item.payment_id,
        "municipality": item.municipality or NATIONAL,
        "state": item.state.value,
        "owner": item.owner.value,
        "ours_rial": item.ours_rial,
        "theirs_rial": item.theirs_rial,
        "open_rial": item.open_rial,
    }


def by_city(day: Day) -> dict[str, dict[str, Any]]:
    """The day in each city that it concerns, and as a whole under `NATIONAL`."""
    cities = {item.municipality or NATIONAL for item in [*day.items, *day.bank]} | {NATIONAL}
    return {city: _row(day, city) for city in sorted(cities)}


def _row(day: Day, city: str) -> dict[str, Any]:
    def mine(items: Sequence[Item]) -> list[Item]:
        return [item for item in items if city == NATIONAL or (item.municipality or NATIONAL) == city]

    payments, bank = mine(day.items), mine(day.bank)
    summed = totals(payments)
    left = [item for item in [*payments, *bank] if item.state not in EXPLAINED]
    return {
        "operator": day.operator,
        "day": day.day.isoformat(),
        "checked_at": to_rfc3339(day.at),
        "reported": day.reported,
        "closed": day.closed if city == NATIONAL else day.reported and not left,
        "statements_contradicted": day.contradicted,
        "counts": {state.value: count for state, count in sorted(summed.counts.items())},
        "rial": {state.value: rial for state, rial in sorted(summed.rial.items())},
        "suspense_rial": summed.suspense_rial,
        "explained_ppm": summed.explained_ppm,
        "unexplained_rial": sum(item.unexplained_rial for item in [*payments, *bank]),
        "waiting_rial": sum(item.waiting_rial for item in [*payments, *bank]),
        "bank": [_kept(item) for item in bank],
        "open": [_kept(item) for item in sorted(left, key=name_of)[:OPEN_SHOWN_MAX]],
        "open_count": len(left),
    }


def result_json(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The public form of a gateway's day."""
    day = date.fromisoformat(row["day"])
    days = age_days(day, now)
    return {
        "operator": row["operator"],
        "day_jalali": format_jalali(day),
        "status": "closed" if row["closed"] else "open",
        "reported": row["reported"],
        "checked_at": row["checked_at"],
        "age_days": days,
        "age_bucket": bucket(days),
        "statements_contradicted": row["statements_contradicted"],
        "explained_percent": percent(int(row["explained_ppm"])),
        "unexplained_rial": format_rial(row["unexplained_rial"]),
        "waiting_rial": format_rial(row["waiting_rial"]),
        "suspense_rial": format_rial(row["suspense_rial"]),
        "payments": [
            {"state": state, "count": count, "amount_rial": format_rial(row["rial"][state])}
            for state, count in row["counts"].items()
        ],
        "bank": [_item_json(item, days) for item in row["bank"]],
        "open": [_item_json(item, days) for item in row["open"]],
        "open_count": row["open_count"],
    }


def percent(ppm: int) -> str:
    """`100.000`: three places, never rounded up."""
    return f"{ppm // 10_000}.{ppm % 10_000 // 10:03d}"


def _item_json(item: Mapping[str, Any], days: int) -> dict[str, Any]:
    return {
        "reference": item["reference"],
        **({"payment_id": item["payment_id"]} if item["payment_id"] else {}),
        "municipality": item["municipality"],
        "state": item["state"],
        "owner": item["owner"],
        "ours_rial": format_rial(item["ours_rial"]),
        "theirs_rial": format_rial(item["theirs_rial"]),
        "open_rial": format_rial(item["open_rial"]),
        "age_days": days,
    }
