"""Each quarter of an hour: days that are over are closed, then the national exchange gets what is new.

One function for both, since a stack of CloudFormation holds so many resources and no more. The closes come first:
what keeps a batch from being made is raised when they are done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.pay.exchange import worker as exchange
from functions.pay.settlement import worker as closes


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    closed = closes.handle(event, context)
    return {**closed, "exchange": exchange.handle(event, context)}
