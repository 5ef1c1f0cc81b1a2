"""The three levels of a running function: the tables, the gateways' reports, the queue of days."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from avarez.dynamo import Table, client, translated
from avarez.errors import ChannelUnavailable
from avarez.settings import setting
from functions.pay.gateways.day_reports import ReportLine, ReportsDays
from functions.pay.gateways.registry import Gateways
from functions.pay.gateways.report import GENERAL, read_report
from functions.pay.three_way.store import ThreeWayTable


class GatewayReports:
    """Reports by operator: a gateway's in its own columns, everybody else's in the general ones."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    def fetchable(self) -> Sequence[str]:
        return [name for name in self._gateways.names() if self._reporter(name).can_fetch_report]

    def fetch(self, operator: str, day: date) -> str:
        return self._reporter(operator).fetch_report(day)

    def read(self, operator: str, text: str) -> list[ReportLine]:
        """The report's lines.

        Raises:
            ChannelUnavailable: there is no such gateway.
            GatewayReportInvalid: it is none of its reports.
        """
        if ":" in operator:
            return read_report(text, GENERAL, 1)
        return self._reporter(operator).read_report(text)

    def _reporter(self, name: str) -> ReportsDays:
        gateway: Any = self._gateways.get(name)
        if not isinstance(gateway, ReportsDays):
            raise ChannelUnavailable()
        return gateway


class DayQueue:
    """Days to be reconciled now; a day that is lost on the way is met by the next run of the clock."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, day: date) -> None:
        with translated():
            client("sqs").send_message(QueueUrl=self._url, MessageBody=json.dumps({"day": day.isoformat()}))


@functools.cache
def books() -> ThreeWayTable:
    """The process's books."""
    return ThreeWayTable(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))


@functools.cache
def reports() -> GatewayReports:
    """The process's gateways, for their reports."""
    # Whoever only reads results needs none of what payments are wired from.
    from functions.pay.wiring import read_gateways_secret

    return GatewayReports(Gateways(read_gateways_secret))


@functools.cache
def queue() -> DayQueue:
    """The process's queue of days."""
    return DayQueue(setting("RECONCILE_QUEUE_URL"))
