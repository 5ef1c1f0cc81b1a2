"""A file of transfers for PAYA: ISO 20022 pain.001, in the standard's form and in the banks' own. Pure.

The standard's form is pain.001.001.03 as ISO publishes it. What tools for Iranian banks make (files `.ccti`)
differs in three places, which `FORMS` names; no bank publishes its rules, so both are made, and
`docs/settlement.md` says what is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from avarez.clock import TEHRAN, from_rfc3339
from avarez.identifiers import read_sheba
from avarez.jalali import format_jalali
from functions.pay.settlement.bank.transfers import Batch, Debtor, Row

Form = Literal["iso", "ccti"]
NAME_CHARACTERS_MAX: Final = 140
"""Source: ISO 20022, Max140Text of a party's name."""
MESSAGE_DIGITS: Final = 9
"""The debtor's IBAN of 26 characters and nine digits make the 35 of Max35Text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the two forms differ: the namespace, the calendar of dates, the currency at the payment method."""

    namespace: str
    jalali: bool
    method_currency: bool


FORMS: Final[dict[Form, Shape]] = {
    "iso": Shape("urn:iso:std:iso:20022:tech:xsd:pain.001.001.03", jalali=False, method_currency=False),
    # The banks' tools name pain.002 though the message is pain.001, write Jalali dates, and repeat the currency.
    "ccti": Shape("urn:iso:std:iso:20022:tech:xsd:pain.002.001.03", jalali=True, method_currency=True),
}


def message_id(batch: Batch) -> str:
    """The debtor's IBAN and the file's number: 35 characters, the same for ever."""
    return f"{batch.debtor_iban}{batch.number:0{MESSAGE_DIGITS}d}"


def paya_file(batch: Batch, rows: Sequence[Row], form: Form = "iso") -> bytes:
    """The file, UTF-8; the same bytes for the same batch.

    Raises:
        ValueError: an IBAN is none, an amount is not positive, or the rows are not the batch's.
    """
    total_rial = sum(row.amount_rial for row in rows)
    if (len(rows), total_rial) != (batch.transfers, batch.total_rial) or not rows:
        raise ValueError(f"{batch.batch_id}: {len(rows)} rows of {total_rial} rial are not the batch's")
    if any(read_sheba(iban) != iban for iban in (batch.debtor_iban, *(row.iban for row in rows))):
        raise ValueError(f"{batch.batch_id}: an IBAN is none")
    if min(row.amount_rial for row in rows) <= 0:
        raise ValueError(f"{batch.batch_id}: an amount is not positive")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Document xmlns="{FORMS[form].namespace}">',
        "  <CstmrCdtTrfInitn>",
        *_header(batch, FORMS[form]),
        *_information(batch, FORMS[form]),
        *(line for row in rows for line in _transaction(row)),
        "    </PmtInf>",
        "  </CstmrCdtTrfInitn>",
        "</Document>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _header(batch: Batch, shape: Shape) -> Iterator[str]:
    made_at = from_rfc3339(batch.created_at).astimezone(TEHRAN)
    day = _day(made_at.date(), shape)
    yield "    <GrpHdr>"
    yield f"      <MsgId>{message_id(batch)}</MsgId>"
    yield f"      <CreDtTm>{day}T{made_at:%H:%M:%S}</CreDtTm>"
    yield from _totals(batch)
    yield f"      <InitgPty><Nm>{_name(batch.debtor_name)}</Nm></InitgPty>"
    yield "    </GrpHdr>"


def _information(batch: Batch, shape: Shape) -> Iterator[str]:
    currency = ' Ccy="IRR"' if shape.method_currency else ""
    yield "    <PmtInf>"
    yield f"      <PmtInfId>{batch.number}</PmtInfId>"
    yield f"      <PmtMtd{currency}>TRF</PmtMtd>"
    yield from _totals(batch)
    yield f"      <ReqdExctnDt>{_day(date.fromisoformat(batch.execution_day), shape)}</ReqdExctnDt>"
    yield f"      <Dbtr><Nm>{_name(batch.debtor_name)}</Nm></Dbtr>"
    yield f"      <DbtrAcct><Id><IBAN>{batch.debtor_iban}</IBAN></Id></DbtrAcct>"
    yield f"      <DbtrAgt><FinInstnId><BIC>{escape(batch.debtor_bic)}</BIC></FinInstnId></DbtrAgt>"


def _transaction(row: Row) -> Iterator[str]:
    yield "      <CdtTrfTxInf>"
    yield f"        <PmtId><InstrId>{row.reference}</InstrId><EndToEndId>{row.reference}</EndToEndId></PmtId>"
    yield f'        <Amt><InstdAmt Ccy="IRR">{row.amount_rial}</InstdAmt></Amt>'
    yield f"        <Cdtr><Nm>{_name(row.holder)}</Nm></Cdtr>"
    yield f"        <CdtrAcct><Id><IBAN>{row.iban}</IBAN></Id></CdtrAcct>"
    yield f"        <RmtInf><Ustrd>{row.reference}</Ustrd></RmtInf>"
    yield "      </CdtTrfTxInf>"


def _totals(batch: Batch) -> Iterator[str]:
    yield f"      <NbOfTxs>{batch.transfers}</NbOfTxs>"
    yield f"      <CtrlSum>{batch.total_rial}</CtrlSum>"


def _day(day: date, shape: Shape) -> str:
    return format_jalali(day) if shape.jalali else day.isoformat()


def _name(text: str) -> str:
    return escape(text[:NAME_CHARACTERS_MAX])


def debtor_from(item: dict[str, Any] | None) -> Debtor | None:
    """Our own account in its setting; None where it is not set, or its IBAN is none."""
    told = item or {}
    name, iban, bic = (str(told.get(part) or "") for part in ("name", "iban", "bic"))
    return Debtor(name, iban, bic) if name and bic and read_sheba(iban) == iban else None
