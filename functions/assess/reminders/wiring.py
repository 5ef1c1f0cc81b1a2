"""Wires reminders from their environment; tests hand in fakes instead."""

from __future__ import annotations

import functools

from avarez.dynamo import Table
from avarez.quotes.wiring import quotes_from_environment
from avarez.settings import setting
from functions.assess.reminders.contacts import ContactTable
from functions.assess.reminders.notices_adapter import notices_for
from functions.assess.reminders.reminder_store import ReminderRows
from functions.assess.reminders.sending import Reminders
from functions.assess.wiring import owner_seals


@functools.cache
def reminders() -> Reminders:
    """The process's one, wired on first use."""
    duty, ledger = Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE"))
    return Reminders(
        duty=duty,
        ledger=ledger,
        rows=ReminderRows(duty, ledger),
        contacts=ContactTable(duty, owner_seals()),
        quotes=quotes_from_environment(),
        notices=notices_for(setting("MESSAGES_TO")),
        public_origin=setting("PUBLIC_ORIGIN").rstrip("/"),
    )
