"""Use cases: a message is given to be sent at most once, never at a quiet hour, never beyond the day's most.

The numbers are the obligations of `tell`, and come back in its comments.
1. Whoever was told, or stopped the messages, is not told again.
2. At a quiet hour, or when the day is full, it waits.
3. The row that decides is written before the message goes: a crash in between loses it, and never doubles it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from avarez import keys
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import AvarezError, TransactionRefused
from avarez.jalali import to_jalali
from avarez.observability import log_failure, metric
from avarez.quotes.quote import Quotes, Rows
from avarez.quotes.vehicles import VehicleRow, one_a_city
from functions.assess.reminders.contacts import Contact, ContactTable, owners_now
from functions.assess.reminders.notices_adapter import MessageRefused, Notices
from functions.assess.reminders.reminder_store import ReminderRows
from functions.assess.reminders.rules import Kind, ReminderSettings, ending_year, is_quiet, settings_from, text_of

STALE: Final = timedelta(days=3)
"""Who was not told of a certificate within three days has it, or has asked for it."""
KEPT: Final = timedelta(days=800)
"""How long it is known what was told: longer than any subject can come again."""
PAGE: Final = 100


class Outcome(StrEnum):
    """What became of one message."""

    SENT = "sent"
    ALREADY = "already"
    STOPPED = "stopped"
    LATER = "later"
    REFUSED = "refused"


@dataclass(slots=True)
class Reminders:
    """What sending works on."""

    duty: Table
    ledger: Table
    rows: ReminderRows
    contacts: ContactTable
    quotes: Quotes[Rows]
    notices: Notices
    public_origin: str

    def settings(self) -> ReminderSettings:
        """As the table has them now."""
        return settings_from(self.duty.get(keys.reminder_setting()))

    # -- one message -------------------------------------------------------------------------------

    def tell(self, contact: Contact, kind: Kind, subject: str, now: datetime) -> Outcome:
        """Gives the message to be sent, unless it was given before."""
        # 1
        told = keys.told(contact.contact_id, kind.value, subject)
        if self.duty.get(told) is not None:
            return Outcome.ALREADY
        mobile = self.contacts.mobile_of(contact)
        if mobile is None:
            return Outcome.STOPPED
        # 2
        settings = self.settings()
        if is_quiet(settings, now):
            return Outcome.LATER
        if not self.rows.counted(settings.messages_a_day_max, now):
            metric("messages_day_full")
            return Outcome.LATER
        # 3
        ends = int((now + KEPT).timestamp())
        try:
            transact(
                [self.duty.put_new(told, {"told_at": to_rfc3339(now), "expires_at_epoch": ends})],
                dynamodb=self.duty.dynamodb,
            )
        except TransactionRefused:
            return Outcome.ALREADY
        text = text_of(kind, contact.language, origin=self.public_origin, stop_token=contact.stop_token)
        try:
            self.notices.give(mobile, text, now)
        except MessageRefused:
            metric("message_not_sent")
            return Outcome.REFUSED
        return Outcome.SENT

    # -- a certificate is ready --------------------------------------------------------------------

    def certificate_ready(self, row: Item, now: datetime) -> list[Outcome]:
        """Tells whoever owns the car of the outbox row and gave a number; the row goes when nothing waits."""
        rows = self.quotes.store.rows(row["municipality"], row["plate_key"])
        his = frozenset(one.owner_hash for one in rows if one.vehicle_id == row["vehicle_id"] and one.owner_hash)
        contacts = owners_now(self.contacts.of_vehicle(row["vehicle_id"]), his)
        certificate_id = str(row["certificate_id"])
        outcomes = [self.tell(one, Kind.CERTIFICATE_READY, certificate_id, now) for one in contacts]
        if Outcome.LATER not in outcomes or now - from_rfc3339(row["created_at"]) > STALE:
            transact([self.ledger.delete((row["pk"], row["sk"]))], dynamodb=self.ledger.dynamodb)
        return outcomes

    # -- the year ends -----------------------------------------------------------------------------

    def year_ends(self, now: datetime, until_s: float) -> dict[str, int]:
        """Goes on with the round before the year's end until `until_s` of the process's clock; what came of it.

        A round goes through every contact once and keeps its place; nobody is told who owes nothing.
        """
        counted: dict[str, int] = {}
        year = ending_year(self.settings(), now)
        if year is None or is_quiet(self.settings(), now):
            return counted
        place = self.duty.get(keys.year_end_round(year)) or {}
        shard, beyond = int(place.get("shard", 0)), str(place.get("beyond", ""))
        while shard < keys.SHARDS and time.monotonic() < until_s:
            listed = self.contacts.listed(shard, beyond, PAGE)
            for item in listed:
                outcome = self._year_end_of(item, year, now)
                counted[outcome] = counted.get(outcome, 0) + 1
                if outcome == Outcome.LATER or time.monotonic() >= until_s:
                    break
                beyond = str(item["sk"])
            else:
                shard, beyond = (shard, beyond) if len(listed) == PAGE else (shard + 1, "")
                self._keep_place(year, shard, beyond)
                continue
            break
        self._keep_place(year, shard, beyond)
        return counted

    def _keep_place(self, year: int, shard: int, beyond: str) -> None:
        place = {"shard": shard, "beyond": beyond or None}
        transact([self.duty.put(keys.year_end_round(year), place)], dynamodb=self.duty.dynamodb)

    def _year_end_of(self, item: Item, year: int, now: datetime) -> str:
        contact = self.contacts.of(str(item["vehicle_id"]), str(item["owner_hash"]))
        if contact is None or contact.sealed is None:
            return Outcome.STOPPED
        everywhere = self.quotes.store.rows_of_vehicle(contact.vehicle_id)
        his = [row for row in one_a_city(everywhere) if row.owner_hash == contact.owner_hash and not row.ended]
        try:
            owes = self._owes(his, everywhere, now)
        except AvarezError as error:
            log_failure("year_end_not_assessed", code=error.code)
            return "not_assessed"
        return self.tell(contact, Kind.YEAR_ENDS, str(year), now) if owes else "owes_nothing"

    def _owes(self, his: Sequence[VehicleRow], everywhere: Sequence[VehicleRow], now: datetime) -> bool:
        today = tehran_today(now)
        return any(self.quotes.assess(row, everywhere, today, to_jalali(today).year).owed_rial > 0 for row in his)
