"""What a city is told: of each entry its content, of a payment and a refund what they are, of papers their end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from avarez.events.chain import EventType, JournalPlace
from functions.pay.rules import announcing
from functions.pay.rules.ledger import matched_entry, refund_entry, settled_entry, suspense_entry
from functions.pay.rules.refunds import RefundStatus
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import NOON, a_payment, a_refund

YEARS = [{"year": 1403, "amount_rial": "1000000"}, {"year": 1404, "amount_rial": "234500"}]
NAMED = {
    "certificate_id": "ce_1",
    "tracking": "4711",
    "terminal": "T-1",
    "bill_id": "1117753200140",
    "payment_code": "12070160",
    "parent_id": "py_0",
    "agreement_id": "ag_1",
    "vehicle_class": "bus",
}
PAYMENT: dict[str, Any] = {
    "payment_id": "py_1",
    "status": "settled",
    "plate": "12B345-67",
    "vehicle_id": "ve_1",
    "channel": "gateway",
    "gateway": "sandbox",
    "reference": "r1",
    "years": YEARS,
    "rounding_rial": "500",
    "fee_rial": "5000",
    "city_fee_rial": "0",
    "amount_rial": "1240000",
    "refunded_rial": "0",
    "created_at": "2026-11-23T08:30:00.000Z",
    "assessment_id": "as_1",
    "office": "OFFICE-1",
    "tariff_version": "t",
    "trace_hash": "ab" * 32,
}


def test_payment_that_an_owner_opened_himself_is_told_as_his() -> None:
    of_owner = a_payment(created_by="owner:ab12", office="")
    told = announcing.of_entry(settled_entry(of_owner, journal_id="je_7x", now=NOON), of_owner)
    assert told.content["payment"]["opened_by"] == "owner"
    assert "office" not in told.content["payment"]


def test_settled_payment_is_told_with_the_shares_of_city_office_and_platform() -> None:
    payment = a_payment(status=Status.SETTLED, settled_at=NOON + timedelta(seconds=1), **NAMED)
    entry = settled_entry(payment, journal_id="je_7x", now=NOON)
    told = announcing.of_entry(entry, payment)
    assert (told.event_id, told.type, told.municipality, told.about) == (
        "ev_7x",
        EventType.PAYMENT_SETTLED,
        "TEHRAN",
        "py_1",
    )
    assert told.occurred_at == NOON
    assert told.journal == JournalPlace("2026-11-23", "py_1", "je_7x", entry.content_hash)
    assert told.content == {
        "entry": {
            "journal_id": "je_7x",
            "kind": "payment_settled",
            "day": "2026-11-23",
            "gateway": "sandbox",
            "reference": "r1",
            "postings": [
                {"account": "gateway_clearing:sandbox", "debit_rial": "1240000", "credit_rial": "0"},
                {"account": "municipality_payable:TEHRAN", "debit_rial": "0", "credit_rial": "1234500"},
                {"account": "municipality_rounding:TEHRAN", "debit_rial": "0", "credit_rial": "500"},
                {"account": "office_fee:OFFICE-1", "debit_rial": "0", "credit_rial": "4000"},
                {"account": "platform_fee", "debit_rial": "0", "credit_rial": "1000"},
            ],
            "years": YEARS,
            "content_hash": entry.content_hash,
        },
        "payment": PAYMENT | NAMED | {"settled_at": "2026-11-23T08:30:01.000Z"},
    }


def test_what_a_payment_does_not_have_is_not_told() -> None:
    payment = a_payment(status=Status.SETTLED)
    told = announcing.of_entry(settled_entry(payment, journal_id="je_7x", now=NOON), payment)
    assert told.content["payment"] == PAYMENT


@pytest.mark.parametrize(
    ("of_suspense", "bank_reference", "more"),
    [
        (False, "", {"of": "payment"}),
        (True, "", {"of": "suspense"}),
        (False, "T-9", {"of": "payment", "bank_reference": "T-9"}),
    ],
)
def test_refund_is_told_with_its_entry_and_its_cause(
    of_suspense: bool, bank_reference: str, more: dict[str, str]
) -> None:
    refund = a_refund(
        status=RefundStatus.APPROVED,
        of_suspense=of_suspense,
        bank_reference=bank_reference,
        rounding_rial=7,
        fee_rial=9,
        amount_rial=234_516,
    )
    entry = refund_entry(a_payment(), a_refund(), whole=False, journal_id="je_8", now=NOON)
    told = announcing.of_entry(entry, None, refund)
    assert told.type is EventType.PAYMENT_REFUNDED
    assert set(told.content) == {"entry", "refund"}
    assert told.content["entry"]["cause"] == "rf_1"
    assert told.content["refund"] == {
        "refund_id": "rf_1",
        "status": "approved",
        "years": [{"year": 1404, "amount_rial": "234500"}],
        "rounding_rial": "7",
        "fee_rial": "9",
        "amount_rial": "234516",
        **more,
    }


def test_money_that_two_people_gave_to_a_duty_is_told_as_its_payment() -> None:
    payment = a_payment(fee_rial=0, office_fee_rial=0, amount_rial=1_235_000, status=Status.SETTLED)
    entry = matched_entry(payment, a_payment(payment_id="py_found"), journal_id="je_8", now=NOON)
    told = announcing.of_entry(entry, payment)
    assert told.type is EventType.PAYMENT_SETTLED
    assert (told.content["entry"]["kind"], told.content["entry"]["cause"]) == ("suspense_matched", "py_found")
    assert told.content["payment"]["years"] == YEARS


def test_every_other_entry_is_a_correction_that_says_its_kind() -> None:
    told = announcing.of_entry(suspense_entry(a_payment(), 7, journal_id="je_9", now=NOON), None)
    assert told.type is EventType.CORRECTION_POSTED
    assert told.content["entry"]["kind"] == "payment_suspense"
    assert set(told.content) == {"entry"}


@pytest.mark.parametrize(
    ("superseded_by", "kind", "more"),
    [
        ("", EventType.CERTIFICATE_REVOKED, {}),
        ("ce_2", EventType.CERTIFICATE_SUPERSEDED, {"superseded_by": "ce_2"}),
    ],
)
def test_certificate_that_is_in_force_no_longer_is_told_with_its_plate_and_why(
    superseded_by: str, kind: EventType, more: dict[str, str]
) -> None:
    told = announcing.of_certificate(
        a_payment(), "ce_1", superseded_by=superseded_by, because="refund", event_id="ev_3", now=NOON
    )
    assert (told.event_id, told.type, told.municipality, told.about) == ("ev_3", kind, "TEHRAN", "py_1")
    assert (told.occurred_at, told.journal) == (NOON, None)
    assert told.content == {
        "certificate": {"certificate_id": "ce_1", "plate": "12B345-67", "because": "refund", **more},
        "payment": {"payment_id": "py_1"},
    }
