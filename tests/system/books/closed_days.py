"""A city's days closed and paid on, and the four books that have to agree on what that comes to."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from avarez.clock import tehran_today
from avarez.jalali import format_jalali
from tests.independent_statement import statement
from tests.system.conftest import Client, System

ISO = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"
CLOSED_WITHIN_S = 300.0


def iban_of(number: int) -> str:
    """An invented account with true check digits. Source: ISO 7064, MOD 97-10, as ISO 13616 uses it."""
    account = f"0170140500{number:012d}"
    return f"IR{98 - int(f'{account}182700') % 97:02d}{account}"


def close_days(system: System, code: str, last: datetime) -> list[Mapping[str, Any]]:
    """The city's closes up to the day of `last`, the first one first."""
    operator, path = system.client("operator"), f"/v1/municipalities/{code}/settlements"
    day = format_jalali(tehran_today(last))

    def closed() -> bool:
        answer = operator.post(path, {"day_jalali": day})
        assert answer.status in (200, 201, 202), answer.text
        return answer.status != 202

    system.wait_for(closed, CLOSED_WITHIN_S)
    found: list[Mapping[str, Any]] = operator.get(f"{path}?limit=100").json["settlements"]
    return found[::-1]


def transfers(operator: Client) -> dict[str, tuple[str, int]]:
    """Everything that is to be paid on, out of the bank's own files: account and rial by reference."""
    found: dict[str, tuple[str, int]] = {}
    while (made := operator.post("/v1/transfer-batches", {})).status == 201:
        file = operator.get(f"/v1/transfer-batches/{made.json['batch_id']}/paya.xml")
        root = ElementTree.fromstring(file.text)
        rows = {
            str(one.findtext(f"{ISO}PmtId/{ISO}EndToEndId")): (
                str(one.findtext(f"{ISO}CdtrAcct/{ISO}Id/{ISO}IBAN")),
                int(str(one.findtext(f"{ISO}Amt/{ISO}InstdAmt"))),
            )
            for one in root.iter(f"{ISO}CdtTrfTxInf")
        }
        total_rial = int(next(root.iter(f"{ISO}CtrlSum")).text or "")
        assert total_rial == sum(rial for _, rial in rows.values()) == int(made.json["total_rial"])
        assert not found.keys() & rows.keys(), "no transfer stands in two files"
        found |= rows
    assert made.json["code"] == "nothing_to_transfer", made.text
    return found


def agrees(
    operator: Client,
    code: str,
    events: Sequence[Mapping[str, Any]],
    closes: Sequence[Mapping[str, Any]],
    paid: Mapping[str, tuple[str, int]],
    iban: str,
) -> int:
    """The rial that the city's own events, its statements, the bank's files and its ledger each come to."""
    last = closes[-1]["to_sequence"]
    alone = statement(events, code, 1, last)
    stated_rial = _stated(operator, code, events, closes)
    mine = [paid[one["transfer_reference"]] for one in closes if int(one["transfer_rial"])]
    assert {account for account, _ in mine} == {iban}
    in_file_rial = sum(rial for _, rial in mine)
    held = _balances(operator, code, closes)
    left_rial = held.get(f"municipality_payable:{code}", 0) + held.get(f"municipality_rounding:{code}", 0)
    ledger_rial = -held[f"municipality_transfer:{code}"]
    assert alone["closing_rial"] == stated_rial == in_file_rial == ledger_rial > 0
    assert left_rial == 0, "nothing else is owed"
    return ledger_rial


def _stated(
    operator: Client, code: str, events: Sequence[Mapping[str, Any]], closes: Sequence[Mapping[str, Any]]
) -> int:
    """What the lines of all statements come to; each is held to the events of its range."""
    total_rial = 0
    for close in closes:
        alone = statement(events, code, close["from_sequence"], close["to_sequence"])
        path = f"/v1/municipalities/{code}/settlements/{close['settlement_id']}/statement.csv"
        rows = list(csv.DictReader(io.StringIO(operator.get(path).body.decode("utf-8-sig"))))
        lines = [(int(row["sequence"]), int(row["city_rial"]), int(row["balance_rial"])) for row in rows[1:-1]]
        assert lines == alone["lines"]
        assert int(rows[-1]["balance_rial"]) == alone["closing_rial"] == int(close["closing_rial"])
        total_rial += sum(rial for _, rial, _ in lines)
    return total_rial


def _balances(operator: Client, code: str, closes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Each account of the ledger from the first close's day to tomorrow, debits less credits."""
    until = format_jalali(tehran_today(datetime.fromisoformat(closes[-1]["closed_at"])) + timedelta(days=1))
    path = f"/v1/municipalities/{code}/trial-balance?from_jalali={closes[0]['day_jalali']}&to_jalali={until}"
    rows = operator.get(path).json["accounts"]
    return {row["account"]: int(row["balance_rial"]) for row in rows}
