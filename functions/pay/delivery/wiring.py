"""Puts deliveries together with what they work on."""

from __future__ import annotations

import functools
import os
import random
from typing import Final

from avarez.clock import SystemClock
from avarez.dynamo import Table, client, translated
from avarez.events.log import EventLog
from avarez.settings import setting
from functions.pay.accounts.wiring import desk as changes
from functions.pay.delivery.endpoints.registration import Desk
from functions.pay.delivery.endpoints.store import EndpointTable
from functions.pay.delivery.pull.files_store import EventFiles
from functions.pay.delivery.service import Outbound
from functions.pay.delivery.wire.secrets import WebhookSecrets
from functions.pay.delivery.wire.sending import Sender
from functions.pay.sequencing.queue_store import WakeUps

clock = SystemClock()
LOOPBACK_ALLOWED: Final = "allowed"
"""What the setting says in the local run alone, where receivers are on the same machine."""


@functools.cache
def endpoints() -> EndpointTable:
    """The process's endpoints."""
    return EndpointTable(Table(setting("LEDGER_TABLE")))


@functools.cache
def events() -> EventLog:
    """The process's view of the chains."""
    return EventLog(Table(setting("LEDGER_TABLE")))


@functools.cache
def event_files() -> EventFiles:
    """The process's view of the daily files."""
    return EventFiles(Table(setting("LEDGER_TABLE")), setting("DOCUMENTS_BUCKET"))


@functools.cache
def outbound() -> Outbound:
    """The process's way out."""
    loopback_allowed = os.environ.get("WEBHOOK_LOOPBACK", "") == LOOPBACK_ALLOWED
    with translated():
        answer = client("secretsmanager").get_secret_value(SecretId=setting("WEBHOOK_SECRET_ARN"))
    return Outbound(
        sender=Sender(loopback_allowed=loopback_allowed),
        secrets=WebhookSecrets(str(answer["SecretString"])),
        clock=clock,
        chance=random.random,
        loopback_allowed=loopback_allowed,
    )


@functools.cache
def desk() -> Desk:
    """The process's use cases of an officer."""
    return Desk(endpoints(), outbound(), changes())


@functools.cache
def wake_ups() -> WakeUps:
    """The process's queue of deliveries."""
    return WakeUps(setting("DELIVER_QUEUE_URL"))


def wake(municipality: str) -> None:
    """What waits for this city is sent within seconds; if the message is lost, within a minute."""
    wake_ups().send([municipality], clock.now())
