"""The status queue: a certificate ended, and the list says so within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez.batches import each_message
from avarez.observability import log
from functions.certify.status.wiring import publish_status


def take(text: str) -> None:
    """Publishes whatever is due; the message says only that something is.

    Raises: ServiceBusy: the message comes again, and the clock does the work meanwhile.
    """
    log("status_published", lists=publish_status(), woken=True)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the messages that failed are delivered again."""
    return each_message(event, take, failed="status_publication_failed")
