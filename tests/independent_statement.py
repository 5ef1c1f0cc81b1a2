"""A city's statement from its events alone: whatever the system says of a close is held to this.

On purpose it imports nothing of the system: plain JSON as a city pulls it in, sums as a treasurer makes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def statement(events: Sequence[Mapping[str, Any]], city: str, first: int, last: int) -> dict[str, Any]:
    """The figures of the range `first` to `last`, both included, from all events of the city since its first."""
    before = _moved(events, city, 1, first - 1)
    within = [event for event in events if first <= event["sequence"] <= last]
    lines = [(event, _of_city(event, city)) for event in within if _touches(event, city)]
    by_kind: dict[str, dict[str, int]] = {}
    balance, told = before, []
    for event, rial in lines:
        balance += rial
        one = by_kind.setdefault(_kind(event, city), {"count": 0, "city_rial": 0, "fee_rial": 0})
        one["count"] += 1
        one["city_rial"] += rial
        if _kind(event, city) in ("payment", "refund"):
            one["fee_rial"] += _fees(event)
        told.append((event["sequence"], rial, balance))
    return {
        "opening_rial": before,
        "closing_rial": balance,
        "sums": by_kind,
        "lines": told,
        "first_hash": _proved(within[0]) if within else "",
        "last_hash": _proved(within[-1]) if within else "",
    }


def _proved(event: Mapping[str, Any]) -> str:
    """The event's hash, reckoned anew: these events hold nothing whose canonical form is not plain JSON."""
    content = {name: value for name, value in event.items() if name != "hash"}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == event["hash"]
    return digest


def _moved(events: Sequence[Mapping[str, Any]], city: str, first: int, last: int) -> int:
    return sum(_of_city(event, city) for event in events if first <= event["sequence"] <= last)


def _touches(event: Mapping[str, Any], city: str) -> bool:
    return _of_city(event, city) != 0 or any(
        posting["account"] == f"municipality_{part}:{city}"
        for posting in event.get("entry", {}).get("postings", ())
        for part in ("payable", "rounding")
    )


def _of_city(event: Mapping[str, Any], city: str) -> int:
    mine = {f"municipality_payable:{city}", f"municipality_rounding:{city}"}
    return _credited(event, lambda account: account in mine)


def _fees(event: Mapping[str, Any]) -> int:
    return _credited(event, lambda account: account == "platform_fee" or account.startswith("office_fee:"))


def _credited(event: Mapping[str, Any], wanted: Any) -> int:
    return sum(
        int(posting["credit_rial"]) - int(posting["debit_rial"])
        for posting in event.get("entry", {}).get("postings", ())
        if wanted(posting["account"])
    )


def _kind(event: Mapping[str, Any], city: str) -> str:
    kind = event["entry"]["kind"]
    accounts = {posting["account"] for posting in event["entry"]["postings"]}
    if kind == "gateway_paid_out" and f"municipality_received:{city}" in accounts:
        return "paid_direct"
    names = {
        "payment_settled": "payment",
        "suspense_matched": "payment",
        "refund_approved": "refund",
        "settlement_transfer": "transfer",
    }
    return names.get(kind, "correction")
