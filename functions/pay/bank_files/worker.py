"""SQS: one message a chunk of a bank's file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avarez.batches import each_message
from avarez.observability import log
from functions.pay.bank_files import service
from functions.pay.bank_files.wiring import bank_files
from functions.pay.wiring import desk


def take(text: str) -> None:
    """Takes the lines of the chunk that the message names.

    Raises:
        ValueError, KeyError: the message names none; the queue sets it aside after a few tries.
    """
    message = json.loads(text)
    file = bank_files().find(str(message["bank_file_id"]))
    chunk = None if file is None else service.work(desk(), bank_files(), file, int(message["chunk"]))
    log("bank_lines_taken", bank_file_id=message["bank_file_id"], done=bool(chunk and chunk.done))


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the chunks that failed are delivered again."""
    return each_message(event, take, failed="bank_lines_failed")
