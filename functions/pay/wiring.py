"""Puts the use cases of payments together with what they work on. Tests call `wire` with fakes."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError

from avarez.clock import SystemClock
from avarez.dynamo import Table, client, translated
from avarez.errors import AvarezError
from avarez.journal import YearAmount
from avarez.observability import metric
from avarez.settings import setting
from functions.pay.gateways.breaker import Breakers
from functions.pay.gateways.registry import Gateways
from functions.pay.payments.ports import Desk
from functions.pay.rules.records import Payment, Quote
from functions.pay.stores.payment_store import DynamoStore
from functions.pay.stores.refund_store import DynamoRefunds
from functions.pay.stores.terminal_store import DynamoTerminals

SEND_BATCH_MAX = 10
"""Source: SQS API reference, SendMessageBatch."""


class SqsQueue:
    """The queue of payments to verify; without an address it drops, since the sweep finds them anyway."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: dict[str, str], delay_s: int = 0) -> None:
        """Sends the message once or more; a queue that is not to be reached must not fail a payment."""
        if not self._url:
            return
        try:
            with translated():
                client("sqs").send_message(
                    QueueUrl=self._url, MessageBody=json.dumps(message), DelaySeconds=delay_s
                )
        except (AvarezError, ClientError):
            metric("verify_queue_unreachable")

    def send_all(self, messages: Sequence[dict[str, str]]) -> None:
        """Sends the messages once or more; those that the queue does not take are left to the sweep."""
        for start in range(0, len(messages) if self._url else 0, SEND_BATCH_MAX):
            batch = messages[start : start + SEND_BATCH_MAX]
            entries = [{"Id": str(number), "MessageBody": json.dumps(of)} for number, of in enumerate(batch)]
            try:
                with translated():
                    client("sqs").send_message_batch(QueueUrl=self._url, Entries=entries)
            except (AvarezError, ClientError):
                metric("verify_queue_unreachable")
                return


def read_gateways_secret() -> str:
    """The JSON that names the gateways and holds their credentials."""
    with translated():
        answer = client("secretsmanager").get_secret_value(SecretId=setting("GATEWAYS_SECRET_ARN"))
    return str(answer["SecretString"])


def reassess(quote: Quote, now: datetime, username: str) -> Mapping[str, Any] | None:
    """A fresh quote for the same car and city; None where this function may not make one, or cannot."""
    bucket = os.environ.get("TARIFF_BUCKET", "")
    if not bucket:
        return None
    # Only an expired quote needs the law's rules, so only then are they loaded.
    from avarez.jalali import to_jalali
    from avarez.quotes.quote import Quotes
    from avarez.quotes.store import DutyStore, TariffStore

    # A limit that was asked for holds again; "up to this year" means the year of the new quote.
    limited = quote.through_year is not None and quote.through_year < to_jalali(quote.as_of).year
    through_year = quote.through_year if limited else None
    duty = Table(setting("DUTY_TABLE"))
    try:
        return Quotes(DutyStore(duty), TariffStore(duty, bucket)).make(
            municipality=quote.municipality,
            plate=quote.plate,
            now=now,
            created_by=username,
            through_year=through_year,
        )
    except AvarezError:
        return None


def requote(payment: Payment, day: date) -> Sequence[YearAmount]:
    """What the years of this payment cost on that day; none where this function may not assess, or cannot."""
    bucket = os.environ.get("TARIFF_BUCKET", "")
    if not bucket:
        return ()
    from avarez.quotes.quote import Quotes
    from avarez.quotes.store import DutyStore, TariffStore

    duty = Table(setting("DUTY_TABLE"))
    quotes = Quotes(DutyStore(duty), TariffStore(duty, bucket))
    rows = DutyStore(duty).rows(payment.municipality, payment.plate)
    row = next((row for row in rows if row.vehicle_id == payment.vehicle_id), None)
    if row is None:
        return ()
    through_year = max(part.year for part in payment.years)
    try:
        made = quotes.assess(row, DutyStore(duty).rows_of_vehicle(row.vehicle_id), day, through_year)
    except AvarezError:
        return ()
    return [YearAmount(year.year, year.amount_rial) for year in made.owed_years]


def wire(**replaced: Any) -> Desk:
    """The desk over the real adapters, except for those given."""
    public_origin = replaced.pop("public_origin", None) or setting("PUBLIC_ORIGIN").rstrip("/")
    parts: dict[str, Any] = {
        "gateways": None,
        "queue": None,
        "store": None,
        "refunds": None,
        "terminals": None,
        "clock": SystemClock(),
        "report": metric,
        "public_origin": public_origin,
        "return_origins": frozenset({public_origin, *os.environ.get("RETURN_ORIGINS", "").split()}),
        "reassess": reassess,
        "requote": requote,
        **replaced,
    }
    if parts["store"] is None:
        store = DynamoStore(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))
        parts["store"], parts["refunds"] = store, DynamoRefunds(store)
        parts["terminals"] = DynamoTerminals(store)
    if parts["gateways"] is None:
        parts["gateways"] = Breakers(Gateways(read_gateways_secret), refuses=False)
    if parts["queue"] is None:
        parts["queue"] = SqsQueue(os.environ.get("VERIFY_PAYMENT_QUEUE_URL", ""))
    return Desk(**parts)


@functools.cache
def desk() -> Desk:
    """The process's one desk, wired on first use."""
    return wire()
