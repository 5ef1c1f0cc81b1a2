"""The daily close over DynamoDB (moto), with payments made, sequenced and closed as the functions do it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.clock import FixedClock, to_rfc3339
from avarez.dynamo import Table, to_item, transact
from avarez.events.chain import Head, chained
from avarez.events.entries import event_of
from avarez.events.log import EventLog, event_item, head_item, waiting_write
from avarez.journal import JournalEntry, YearAmount, journal_item
from avarez.settlements import Settlement
from functions.pay.rules import announcing
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.sequencing.service import sequence
from functions.pay.sequencing.store import ChainTable
from functions.pay.settlement import handler, wiring, worker
from functions.pay.settlement.bank.transfers import Payee
from functions.pay.settlement.closing import close_next
from functions.pay.settlement.wiring import Parts, parts_over
from tests.contract.pay_counter import Recorder
from tests.contract.payments.test_payment_store import make_tables, payment
from tests.unit.payments.payments_fake import NOON

CITY = "SHIRAZ"
IBAN = "IR760170000000000000000001"
PLATFORM = {"name": "سامانهٔ عوارض خودرو", "iban": "IR580540105180021273113007", "bic": "BMJIIRTHXXX"}
YEAR_RIAL = 1_234_500
ROUNDING_RIAL = 500


@dataclass
class FakeAccounts:
    """Accounts by city, in force whenever they are asked for."""

    by_city: dict[str, Payee]

    def in_force(self, municipality: str, at: datetime) -> Payee | None:
        return self.by_city.get(municipality)


@dataclass
class CloseDesk:
    """A city with a chain, and the functions of the close over it."""

    recorder: Recorder
    clock: FixedClock
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self.duty, self.ledger = Table("duty", self.recorder), Table("ledger", self.recorder)
        self.accounts = FakeAccounts({CITY: Payee(IBAN, "شهرداری شیراز")})
        self.parts = parts_over(self.duty, self.ledger, self.clock, self.accounts)

    # -- the city ------------------------------------------------------------------------------------

    def set_city(self, city: str = CITY, **setting: Any) -> None:
        write = self.duty.put(keys.municipality_setting(city), {"settlement_mode": "collect", **setting})
        transact([write], dynamodb=self.duty.dynamodb)

    def set_platform(self) -> None:
        transact([self.duty.put(keys.platform_setting(), PLATFORM)], dynamodb=self.duty.dynamodb)

    def pay(self, number: int, *, city: str = CITY, fee_rial: int = 0, **changes: Any) -> Payment:
        """A settled payment of this moment, whose event waits for its place."""
        made, entry = self.settled(number, city=city, fee_rial=fee_rial, **changes)
        self.book(entry, announced=announcing.of_entry(entry, made))
        return made

    def settled(
        self, number: int, *, city: str = CITY, fee_rial: int = 0, **changes: Any
    ) -> tuple[Payment, JournalEntry]:
        """The payment and its entry, written nowhere."""
        made = replace(
            payment(number, status=Status.SETTLED, settled_at=self.clock.now(), reference=f"r{number}"),
            municipality=city,
            years=(YearAmount(1404, YEAR_RIAL),),
            rounding_rial=ROUNDING_RIAL,
            fee_rial=fee_rial,
            office_fee_rial=fee_rial,
            amount_rial=YEAR_RIAL + ROUNDING_RIAL + fee_rial,
            certificate_id=f"ce_{number:036d}",
            **changes,
        )
        return made, settled_entry(made, journal_id=f"je_{number:036d}", now=self.clock.now())

    def chain(self, count: int, city: str = CITY) -> None:
        """A chain of so many payments of this moment, put into the log as the sequencer leaves it."""
        head, writes = Head(city), []
        for number in range(1, count + 1):
            made, entry = self.settled(number, city=city)
            event = chained(announcing.of_entry(entry, made), sequence=head.sequence + 1, previous_hash=head.hash)
            head = replace(head, sequence=event.sequence, hash=event.hash)
            pk, sk = keys.chain_event(city, event.sequence)
            item = {**event_item(event, to_rfc3339(self.clock.now())), "pk": pk, "sk": sk}
            writes.append({"PutRequest": {"Item": to_item(item)}})
        for start in range(0, len(writes), 25):
            self.ledger.dynamodb.dynamodb.batch_write_item(RequestItems={"ledger": writes[start : start + 25]})
        at_end = self.ledger.put(keys.chain_head(city), head_item(head))
        transact([at_end], dynamodb=self.ledger.dynamodb)

    def book(self, entry: JournalEntry, announced: Any = None) -> None:
        key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
        waits = waiting_write(self.ledger, announced or event_of(entry))
        transact([self.ledger.put_new(key, journal_item(entry)), waits], dynamodb=self.ledger.dynamodb)

    def sequence(self, city: str = CITY) -> int:
        done = sequence(ChainTable(self.ledger), city, holder="sq_1", clock=self.clock, time_left=lambda: True)
        assert not done.aside
        return done.events

    def events(self, city: str = CITY) -> list[dict[str, Any]]:
        """The chain as the city pulls it."""
        return [dict(event.data) for event in EventLog(self.ledger).read(city, after=0, limit=100_000)]

    # -- the close -----------------------------------------------------------------------------------

    def close(self, city: str = CITY, time_left: Callable[[], bool] = lambda: True) -> Settlement | None:
        return close_next(self.parts.closes, self.parts.calendar, city, self.clock.now(), time_left=time_left)

    def run(self) -> dict[str, Any]:
        return worker.run(self.parts, lambda: True)

    def next_day(self) -> None:
        """Half an hour after the coming midnight in Tehran."""
        self.clock.advance(timedelta(days=1))
        self.clock.instant = self.clock.instant.replace(hour=21, minute=0, second=0) - timedelta(days=1)

    def lines(self, settlement: Settlement) -> list[Any]:
        return list(self.parts.closes.lines(settlement))

    def tasks(self, city: str = CITY) -> list[dict[str, Any]]:
        return list(self.duty.query(keys.task(city, "")[0]))

    # -- HTTP ----------------------------------------------------------------------------------------

    def ask(
        self, route: str, params: Mapping[str, str] | None = None, body: Any = None, **more: Any
    ) -> tuple[int, Any]:
        """Status and body of one call; `group`, `municipality` and `query` besides."""
        group = more.get("group", "operator")
        claims = {
            "token_use": "access",
            "iss": "issuer",
            "client_id": "client",
            "username": more.get("username", "somebody"),
            "cognito:groups": f"[{group}]",
            "municipality": more.get("municipality", ""),
        }
        scopes = more.get("scopes", ["avarez/ledger.read", "avarez/settlements.write"])
        event = {
            "routeKey": route,
            "pathParameters": dict(params or {}),
            "queryStringParameters": more.get("query", {}),
            "headers": {"content-type": "application/json"},
            "requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": scopes}}},
            "body": None if body is None else json.dumps(body),
        }
        answer = handler.handle(event, None)
        kind = answer["headers"]["content-type"]
        return answer["statusCode"], json.loads(answer["body"]) if "json" in kind else answer["body"]


def running_close_desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloseDesk]:
    """A desk over fresh tables, a collecting city with an account, our own account set."""
    from moto import mock_aws

    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("TOKEN_ISSUER", "issuer"),
        ("USER_POOL_CLIENT_ID", "client"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        duty, _ = make_tables()
        desk = CloseDesk(Recorder(duty.dynamodb), FixedClock(NOON))
        monkeypatch.setattr(wiring, "parts", lambda: desk.parts)
        desk.set_city()
        desk.set_platform()
        yield desk
