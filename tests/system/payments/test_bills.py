"""A bill on the running system: printed at the office, paid at a bank, told by the bank's file of the day."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.system.conftest import System
from tests.system.journey import assess, certificate, settled
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
FILE_TIMEOUT_S = 60.0


def jalali_today(system: System) -> str:
    quote = assess(system.client("clerk"), fresh_plate())
    return str(quote["as_of_jalali"]).replace("-", "")


def test_a_bill_is_paid_at_a_bank_and_certified_by_its_file(system: System) -> None:
    clerk, operator = system.client("clerk"), system.client("operator")
    quote = assess(clerk, fresh_plate())
    body = {"assessment_id": quote["assessment_id"], "channel": "bill"}
    opened = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert (opened.status, opened.json["status"]) == (201, "pending"), opened.text
    bill, code = opened.json["bill_id"], opened.json["payment_code"]
    assert opened.json["barcode"] == bill.zfill(13) + code.zfill(13)
    papers = f"/v1/payments/{opened.json['payment_id']}"
    slip = clerk.get(f"{papers}/slip.pdf")
    assert (slip.status, slip.headers["content-type"], slip.body[:5]) == (200, "application/pdf", b"%PDF-")
    early = clerk.get(f"{papers}/receipt.pdf")
    assert (early.status, early.json["code"]) == (409, "paper_not_ready")
    other = {**body, "channel": "gateway"}
    refused = clerk.post("/v1/payments", other, {"idempotency-key": uuid.uuid4().hex})
    assert (refused.status, refused.json["code"]) == (409, "bill_open")

    day = jalali_today(system)
    line = f"00123402{day}{bill.zfill(13)}{code.zfill(13)}"
    unknown = f"00123402{day}{'1117753200140'}{'12070160'.zfill(13)}"
    content = f"00123402{day}\r\n{line}654321\r\n{line}654321\r\n{unknown}111111\r\nx\r\n"
    assert clerk.post("/v1/bank-files", {"bank": "melli", "content": content}).status == 403
    taken = operator.post("/v1/bank-files", {"bank": "melli", "content": content})
    assert taken.status == 201, taken.text
    address = f"/v1/bank-files/{taken.json['bank_file_id']}"

    def done() -> dict[str, Any] | None:
        told: dict[str, Any] = operator.get(address).json
        return told if told["status"] == "done" else None

    told = system.wait_for(done, FILE_TIMEOUT_S)
    assert told["outcomes"] == {
        "already": 1,
        "applied": 1,
        "refused:line_malformed": 1,
        "suspense_unmatched": 1,
    }
    paid = settled(system, clerk, opened.json["payment_id"])
    certificate(system, clerk, paid["certificate_id"])
    assert clerk.get(f"{papers}/receipt.pdf").body[:5] == b"%PDF-"
    assert clerk.get(f"{papers}/slip.pdf").status == 409
    again = operator.post("/v1/bank-files", {"bank": "melli", "content": content})
    assert again.json["bank_file_id"] == taken.json["bank_file_id"]
    assert operator.post("/v1/bank-files", {"bank": "melli", "content": "no\nfile\n"}).status == 422
