"""Who holds a duty while somebody pays it: the rule, without the store that enforces it.

A lease lapses at `lease_until_at` unless it is confirmed: confirmed means that verify has begun, and then only a
result ends it. The store writes the same rule as a condition; one suite of tests holds both to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEASED = "leased"
PAID = "paid"
BOUND = "by_instalments"
"""The duty is bound to an agreement: its parts pay it, nothing else does."""
IN_FORCE = "in_force"
"""An agreement whose parts can be paid."""
VOID = "void"
"""A part of an agreement that was broken: nobody pays it any more."""


def may_take(holder: Mapping[str, Any] | None, payment_id: str, now_text: str) -> bool:
    """Whether this payment may take (or keep) a duty that `holder` stands for; None is a free duty."""
    if holder is None:
        return True
    if holder["status"] != LEASED:
        return False
    if holder["payment_id"] == payment_id:
        return True
    return not holder.get("confirmed") and str(holder["lease_until_at"]) < now_text


def holds(holder: Mapping[str, Any] | None, payment_id: str) -> bool:
    """Whether the duty is leased to this payment."""
    return holder is not None and holder["status"] == LEASED and holder["payment_id"] == payment_id
