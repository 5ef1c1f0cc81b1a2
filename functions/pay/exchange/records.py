"""What the national exchange is told of an event: a record for each duty year. Pure.

Obligations, by number:
1. A record's id follows from its event and its duty year: no event can bring the same record twice.
2. A payment's records are positive, a refund's negative; whatever else moves a duty year has the sign by which it
   moves what the city is owed. Money in suspense is nobody's duty, and no record.
3. The records of an event, with the fee that the city bore, are what the entry booked on the city's two accounts.
4. What is not known of a vehicle is left empty and named in `lacks`; the record is told all the same.

Source: the members of events as `docs/ledger.md` lists them; the fields as `docs/national-exchange.md` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from avarez.clock import from_rfc3339, tehran_today
from avarez.jalali import format_jalali
from avarez.money import format_rial, parse_rial
from avarez.municipalities import find_municipality
from avarez.plates import PlateKind, parse_plate
from functions.pay.rules.ledger import SUSPENSE, municipality_payable, municipality_rounding

PAYMENT_KINDS: Final = frozenset({"payment_settled", "suspense_matched"})
REFUND_KIND: Final = "refund_approved"
BANK_CODE: Final = slice(4, 7)
"""Of an IBAN of this country: `IR`, two check digits, three of the bank. Source: ISO 13616, IBAN registry."""


class Kind(StrEnum):
    """What a record tells of."""

    PAYMENT = "payment"
    REFUND = "refund"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle as it was when its duty was assessed; empty where nobody knows."""

    vin: str = ""
    model_year: str = ""
    model_calendar: str = ""
    car_type: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One duty year of one payment, refund or correction; texts as they are told, amounts signed.

    `rounding_rial`, with the newest year, is what rounding up brought the city. `lacks` names the fields that
    should be there and are not, separated by blanks.
    """

    record_id: str
    kind: str
    municipality: str
    municipality_name: str
    sequence: int
    payment_id: str
    vin: str
    model_year: str
    model_calendar: str
    car_type: str
    plate: str
    plate_first: str
    plate_letter: str
    plate_serial: str
    plate_region: str
    paid_on: str
    paid_on_jalali: str
    booked_on_jalali: str
    duty_year: int
    amount_rial: int
    rounding_rial: int
    payment_code: str
    bill_id: str
    channel: str
    operator: str
    bank: str
    account: str
    lacks: str = ""

    def told(self) -> dict[str, str | int]:
        """Every field by name; amounts as decimal strings."""
        amounts = {
            "amount_rial": format_rial(self.amount_rial),
            "rounding_rial": format_rial(self.rounding_rial),
        }
        return {**asdict(self), **amounts}


@dataclass(frozen=True, slots=True)
class Told:
    """The records of one event. `city_fee_rial`, signed, is what of their amounts the city bore as a fee."""

    records: tuple[Record, ...] = ()
    city_fee_rial: int = 0


def payment_of(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The payment of an event that has records; None of every other event.

    Raises:
        KeyError, TypeError, ValueError: the event is none of ours.
    """
    entry = data.get("entry")
    if entry is None or _sign(entry, str(data["municipality"])) == 0:
        return None
    payment: Mapping[str, Any] = data.get("payment") or {}
    return payment


def told_of(data: Mapping[str, Any], car: Car, account: str) -> Told:
    """The records of the event, the oldest year first; none where `payment_of` has none.

    `account` is the city's IBAN that was in force when the entry was booked, or nothing.

    Raises:
        KeyError, TypeError, ValueError: the event is none of ours.
    """
    payment = payment_of(data)
    if payment is None:
        return Told()
    entry, city = data["entry"], str(data["municipality"])
    sign = _sign(entry, city)
    amounts = {int(part["year"]): sign * parse_rial(part["amount_rial"]) for part in entry["years"]}
    rounding_rial = _booked(entry["postings"], municipality_rounding(city))
    named = _named(data, payment, car, account)
    newest = max(amounts)
    records = tuple(
        Record(
            **named,
            record_id=f"{data['event_id']}-{year}",
            duty_year=year,
            amount_rial=amount_rial,
            rounding_rial=rounding_rial if year == newest else 0,
        )
        for year, amount_rial in sorted(amounts.items())
    )
    return Told(records, sum(amounts.values()) - _booked(entry["postings"], municipality_payable(city)))


def _sign(entry: Mapping[str, Any], city: str) -> int:
    """1 for what was paid, -1 for what was given back, 0 for what is no duty year's. (2)"""
    if not entry["years"]:
        return 0
    if entry["kind"] in PAYMENT_KINDS:
        return 1
    postings = entry["postings"]
    if entry["kind"] == REFUND_KIND:
        return 0 if any(posting["account"] == SUSPENSE for posting in postings) else -1
    moved_rial = _booked(postings, municipality_payable(city)) + _booked(postings, municipality_rounding(city))
    return (moved_rial > 0) - (moved_rial < 0)


def _booked(postings: Iterable[Mapping[str, Any]], account: str) -> int:
    """Credits less debits."""
    return sum(
        parse_rial(posting["credit_rial"]) - parse_rial(posting["debit_rial"])
        for posting in postings
        if posting["account"] == account
    )


def _named(data: Mapping[str, Any], payment: Mapping[str, Any], car: Car, account: str) -> dict[str, Any]:
    """What all records of the event have in common."""
    entry, city = data["entry"], str(data["municipality"])
    booked_on = date.fromisoformat(entry["day"])
    settled_at = payment.get("settled_at")
    paid_on = tehran_today(from_rfc3339(settled_at)) if settled_at else booked_on
    plate = parse_plate(str(payment["plate"]))
    known = find_municipality(city)
    fields: dict[str, Any] = {
        "kind": _kind(entry).value,
        "municipality": city,
        "municipality_name": "" if known is None else known.name_fa,
        "sequence": int(data["sequence"]),
        "payment_id": str(payment["payment_id"]),
        **asdict(car),
        "plate": plate.key,
        "plate_first": plate.first,
        "plate_letter": plate.letter_fa,
        "plate_serial": "" if plate.kind is PlateKind.NONE else plate.serial,
        "plate_region": plate.region,
        "paid_on": paid_on.isoformat(),
        "paid_on_jalali": format_jalali(paid_on),
        "booked_on_jalali": format_jalali(booked_on),
        "payment_code": str(payment.get("payment_code") or entry["reference"]),
        "bill_id": str(payment.get("bill_id", "")),
        "channel": str(payment["channel"]),
        "operator": str(entry["gateway"]),
        "bank": account[BANK_CODE],
        "account": account,
    }
    return {**fields, "lacks": " ".join(_lacking(fields))}


EXPECTED: Final = ("vin", "model_year", "plate_serial", "car_type", "payment_code", "account")
"""Fields that the exchange wants of every payment and that may be missing here."""


def _lacking(fields: Mapping[str, Any]) -> Sequence[str]:
    return [name for name in EXPECTED if not fields[name]]


def _kind(entry: Mapping[str, Any]) -> Kind:
    if entry["kind"] in PAYMENT_KINDS:
        return Kind.PAYMENT
    return Kind.REFUND if entry["kind"] == REFUND_KIND else Kind.CORRECTION
