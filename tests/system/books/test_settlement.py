"""A collecting city's day on the running system: paid, closed, told, paid on, matched by the bank's line."""

from __future__ import annotations

import csv
import io
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avarez.clock import tehran_today
from avarez.digits import grouped_en
from avarez.jalali import format_jalali
from demo.seed import ACCOUNTS, PLATFORM
from tests.independent_statement import statement
from tests.system.conftest import Client, System
from tests.system.journey import pay
from tests.system.plates import plate_of
from tests.unit.certificates.test_document import words_of

pytestmark = pytest.mark.system
CITY = "SHIRAZ"
PATH = f"/v1/municipalities/{CITY}/settlements"
CHAINED_WITHIN_S = 60.0
ISO = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"
COLUMNS = (
    "account,booked_jalali,bank_reference,amount_rial,commission_rial,operator,settles_jalali,cycle,description,"
    "transfer_reference"
)


def events_of(client: Client) -> list[dict[str, Any]]:
    """The whole chain as the city pulls it."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.get(f"/v1/municipalities/{CITY}/events?after={len(found)}&limit=500").json
        found += [one["data"] for one in page["events"]]
        if not page["events"]:
            return found


def in_chain(system: System, client: Client, payment_id: str) -> list[dict[str, Any]]:
    """The chain once the payment stands in it."""

    def read() -> list[dict[str, Any]] | None:
        found = events_of(client)
        return found if any(of.get("payment", {}).get("payment_id") == payment_id for of in found) else None

    chained: list[dict[str, Any]] = system.wait_for(read, CHAINED_WITHIN_S)
    return chained


def told(system: System, client: Client, settlement_id: str) -> Mapping[str, Any]:
    """What the city is told of the close, once it is."""

    def read() -> Mapping[str, Any] | None:
        closed = [of["settlement"] for of in events_of(client) if of["type"] == "settlement.closed"]
        return next((of for of in closed if of["settlement_id"] == settlement_id), None)

    found: Mapping[str, Any] = system.wait_for(read, CHAINED_WITHIN_S)
    return found


def closed_now(operator: Client, payment_id: str) -> dict[str, Any]:
    """The close in which the payment stands: of today, or, where that was closed before, of tomorrow."""
    today = format_jalali(tehran_today(datetime.now(UTC)))
    assert operator.post(PATH, {"day_jalali": today}).status in (200, 201)
    newest = operator.get(f"{PATH}?limit=1").json["settlements"][0]
    lines = operator.get(f"{PATH}/{newest['settlement_id']}/statement.json").json["statement"]
    assert payment_id in [line["payment_id"] for line in lines]
    close: dict[str, Any] = newest
    return close


def test_a_day_is_closed_told_paid_on_and_matched_to_the_rial(system: System, tmp_path: Path) -> None:
    clerk, operator, auditor = system.client("clerk"), system.client("operator"), system.client("auditor")
    paid = pay(system, clerk, plate_of(CITY), CITY)
    payment_id = paid.payment["payment_id"]
    in_chain(system, auditor, payment_id)
    close = closed_now(operator, payment_id)
    assert clerk.get(PATH).status == 403
    address = f"{PATH}/{close['settlement_id']}"
    alone = statement(events_of(auditor), CITY, close["from_sequence"], close["to_sequence"])
    assert (close["opening_rial"], close["closing_rial"]) == (
        str(alone["opening_rial"]),
        str(alone["closing_rial"]),
    )

    answer = auditor.get(f"{address}/statement.csv")
    assert (answer.status, answer.body[:3]) == (200, b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    lines = [(int(row["sequence"]), int(row["city_rial"]), int(row["balance_rial"])) for row in rows[1:-1]]
    assert lines == alone["lines"]
    assert int(rows[-1]["balance_rial"]) == alone["closing_rial"]
    paper = auditor.get(f"{address}/statement.pdf")
    assert paper.status == 302, paper.text
    pdf = system.client(None).get(paper.headers["location"])
    words = words_of(pdf.body, tmp_path)
    for rial in (
        alone["opening_rial"],
        alone["closing_rial"],
        *(both for _, *two in alone["lines"] for both in two),
    ):
        assert f"{'-' if rial < 0 else ''}{grouped_en(abs(rial))}" in words
    assert alone["last_hash"] in words
    assert (
        auditor.get(f"{address}/statement.pdf").headers["location"].split("?")[0]
        == paper.headers["location"].split("?")[0]
    )
    event = told(system, auditor, close["settlement_id"])
    assert {name: close[name] for name in event} == event

    made = operator.post("/v1/transfer-batches", {})
    assert made.status == 201, made.text
    (row,) = [one for one in made.json["rows"] if one["settlement_id"] == close["settlement_id"]]
    assert (row["iban"], row["amount_rial"]) == (ACCOUNTS[CITY], close["transfer_rial"])
    file = operator.get(f"/v1/transfer-batches/{made.json['batch_id']}/paya.xml")
    root = ElementTree.fromstring(file.text)
    amounts = {
        str(of.findtext(f"{ISO}PmtId/{ISO}EndToEndId")): int(str(of.findtext(f"{ISO}Amt/{ISO}InstdAmt")))
        for of in root.iter(f"{ISO}CdtTrfTxInf")
    }
    assert amounts[row["reference"]] == int(close["transfer_rial"])
    assert next(root.iter(f"{ISO}CtrlSum")).text == str(sum(amounts.values())) == made.json["total_rial"]
    assert operator.get(address).json["status"] == "sent"

    today = format_jalali(tehran_today(datetime.now(UTC)))
    number = uuid.uuid4().hex[:12]
    line = f"{PLATFORM['iban']},{today},{number},{row['amount_rial']},,transfer,{today},,PAYA,{row['reference']}"
    taken = operator.post("/v1/municipalities/NATIONAL/bank-statements", {"content": f"{COLUMNS}\n{line}\n"})
    assert (taken.status, taken.json["new"]) == (202, 1), taken.text
    assert operator.get(address).json["status"] == "matched"
    balance = auditor.get(f"/v1/municipalities/{CITY}/trial-balance").json["accounts"]
    invariants = auditor.get(f"/v1/municipalities/{CITY}/invariants").json
    assert (invariants["invariants"]["I7"], invariants["invariants"]["I10"]) == (0, 0), invariants["broken"]
    on_the_way = [of["balance_rial"] for of in balance if of["account"] == f"municipality_transfer:{CITY}"]
    assert on_the_way == ["0"]
