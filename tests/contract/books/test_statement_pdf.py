"""A daily close's PDF: its figures are those that events alone give; kept once, under object lock in real life."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from avarez.digits import grouped_en
from avarez.settlements import Settlement
from functions.certify.papers import handler, statement
from functions.certify.papers.settlement_store import SettlementTable
from functions.certify.stores.document_store import DocumentBucket
from functions.certify.stores.quote_store import PageTable
from tests.contract.books.close_desk import CITY, CloseDesk, running_close_desk
from tests.independent_statement import statement as independent
from tests.unit.certificates.test_document import words_of

ROUTE = "GET /v1/municipalities/{code}/settlements/{id}/statement.pdf"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloseDesk]:
    for made in running_close_desk(monkeypatch):
        wired(monkeypatch, made)
        yield made


def wired(monkeypatch: pytest.MonkeyPatch, desk: CloseDesk) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="documents")
    closes, files = SettlementTable(desk.ledger), DocumentBucket("documents", s3, prefix="settlements/")
    pages = PageTable(desk.duty)
    monkeypatch.setattr(handler, "settlements", lambda: closes)
    monkeypatch.setattr(handler, "statements", lambda: files)
    monkeypatch.setattr(handler, "pages", lambda: pages)


def ask(close: Settlement, group: str = "auditor", **query: str) -> dict[str, Any]:
    claims = {
        "token_use": "access",
        "iss": "issuer",
        "client_id": "client",
        "username": "somebody",
        "cognito:groups": f"[{group}]",
        "municipality": "TABRIZ",
    }
    event = {
        "routeKey": ROUTE,
        "pathParameters": {"code": close.municipality, "id": close.settlement_id},
        "queryStringParameters": query,
        "headers": {},
        "requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/ledger.read"]}}},
    }
    answer: dict[str, Any] = handler.handle(event, None)
    return answer


def stored() -> dict[str, bytes]:
    s3 = boto3.client("s3", region_name="us-east-1")
    found = s3.list_objects_v2(Bucket="documents").get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket="documents", Key=one["Key"])["Body"].read() for one in found}


def test_pdf_says_what_the_events_alone_say_and_is_kept_once(desk: CloseDesk, tmp_path: Path) -> None:
    for number in range(1, 4):
        desk.pay(number, fee_rial=5_000)
    desk.sequence()
    desk.pay(4)  # late
    desk.next_day()
    assert desk.close() is not None
    desk.sequence()
    desk.pay(5)
    desk.sequence()
    desk.clock.advance(timedelta(days=1))
    close = desk.close()
    assert close is not None
    answers = [ask(close) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [302, 302]
    ((key, pdf),) = stored().items()
    assert key == f"settlements/{hashlib.sha256(pdf).hexdigest()}.pdf"
    assert all(key in answer["headers"]["location"] for answer in answers)
    told = ask(close, redirect="false")
    assert (told["statusCode"], key in json.loads(told["body"])["url"]) == (200, True)
    words = words_of(pdf, tmp_path)
    alone = independent(desk.events(), CITY, close.from_sequence, close.to_sequence)
    figures = [
        alone["opening_rial"],
        alone["closing_rial"],
        *(rial for _, *both in alone["lines"] for rial in both),
    ]
    for rial in figures:
        assert f"{'-' if rial < 0 else ''}{grouped_en(abs(rial))}" in words
    for text in (alone["first_hash"], alone["last_hash"], close.manifest_hash, close.settlement_id, "late"):
        assert text in words
    again = statement.statement(close, desk.lines(close), PageTable(desk.duty).name)
    assert again == pdf  # the same bytes for the same close


def test_large_close_has_sheets_and_foreigners_have_none(
    desk: CloseDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(statement, "SHEET_LINES_MAX", 50)
    desk.chain(120)
    desk.next_day()
    close = desk.close()
    assert close is not None
    assert statement.sheets_of(close) == 3
    table = SettlementTable(desk.ledger)
    sheets = [table.lines(close, first, 50) for first in (0, 50, 100)]
    assert [line for sheet in sheets for line in sheet] == desk.lines(close)
    assert [len(sheet) for sheet in sheets] == [50, 50, 20]
    assert ask(close, sheet="3")["statusCode"] == 302
    (pdf,) = stored().values()
    assert "Sheet 3 of 3" in words_of(pdf, tmp_path)
    assert ask(close, sheet="4")["statusCode"] == 422
    assert ask(close, group="municipality")["statusCode"] == 404
    assert ask(Settlement(**{**_members(close), "settlement_id": "st_1"}))["statusCode"] == 404


def _members(close: Settlement) -> dict[str, Any]:
    return {name: getattr(close, name) for name in close.__dataclass_fields__}
