"""Payments whose gateway did not answer in time: verified again, away from the payer's browser.

A message names a payment and nothing more. One that cannot be read fails alone and ends in the dead-letter queue;
a payment whose gateway is still silent does not: the sweep goes on asking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from avarez.ids import is_id
from avarez.observability import log
from functions.pay.payments.reconciliation import retry
from functions.pay.wiring import desk

MESSAGE_CHARACTERS_MAX = 1_000


def take(record: SQSRecord) -> None:
    """Verifies the payment that the message names, or brings a chunk of its parts on.

    Raises:
        ValueError: the message names no payment; the queue sets it aside after a few tries.
    """
    text = record.body
    message = json.loads(text) if len(text) <= MESSAGE_CHARACTERS_MAX else None
    message = message if isinstance(message, dict) else {}
    payment_id, chunk = message.get("payment_id"), message.get("chunk")
    if chunk is not None and not (isinstance(chunk, str) and chunk.isascii() and chunk.isdigit()):
        raise ValueError("the message names no chunk")
    if not isinstance(payment_id, str) or not is_id("py", payment_id):
        raise ValueError("the message names no payment")
    payment = retry(desk(), payment_id, None if chunk is None else int(chunk))
    log("verified_from_queue", payment_id=payment_id, status=payment.status.value if payment else "unknown")


def handle(event: Mapping[str, Any], context: object) -> Any:
    """The Lambda entry point: the batch, with the messages that failed named one by one."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=dict(event), record_handler=take, processor=processor, context=None)
