"""The bank files of a running function."""

from __future__ import annotations

import functools
import os

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.pay.bank_files.store import BankFileTable


@functools.cache
def bank_files() -> BankFileTable:
    """Files over DUTY_TABLE, sent to the queue that the environment names."""
    url = os.environ.get("BANK_FILE_QUEUE_URL", "")
    return BankFileTable(Table(setting("DUTY_TABLE")), client("sqs") if url else None, url)
