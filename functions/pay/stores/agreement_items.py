"""Agreements to pay by instalments as items of the duty table, and back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from avarez.dynamo import Item
from avarez.journal import YearAmount
from functions.pay.rules.leases import BOUND, IN_FORCE, VOID

if TYPE_CHECKING:
    from functions.pay.rules.instalments import Agreement


def agreement_item(agreement: Agreement) -> Item:
    """The stored form; the plate is `plate_key`, so that agreements stay out of the index of plates."""
    return {
        "agreement_id": agreement.agreement_id,
        "assessment_id": agreement.assessment_id,
        "municipality": agreement.municipality,
        "plate_key": agreement.plate,
        "vehicle_id": agreement.vehicle_id,
        "as_of": agreement.as_of.isoformat(),
        "years": _years(agreement.years),
        "surcharge_rial": agreement.surcharge_rial,
        "rounding_rial": agreement.rounding_rial,
        "parts": [
            {"number": part.number, "amount_rial": part.amount_rial, "due_on": part.due_on.isoformat()}
            for part in agreement.parts
        ],
        "grace_days": agreement.grace_days,
        "trace_hash": agreement.trace_hash,
        "tariff_version": agreement.tariff_version,
        "requested_by": agreement.requested_by,
        "office": agreement.office,
        "status": agreement.status.value,
        "approved_by": agreement.approved_by,
        "paid_parts": agreement.paid_parts,
        "broken_on": agreement.broken_on.isoformat() if agreement.broken_on else None,
        "version": agreement.version,
        "vehicle_class": agreement.vehicle_class or None,
        "rejected_by": agreement.rejected_by or None,
        "rejection_reason": agreement.rejection_reason or None,
    }


def agreement_from(item: Item) -> Agreement:
    # Few payments are a part of one: whoever starts for another pays nothing for it.
    from functions.pay.rules.instalments import Agreement, AgreementStatus, Part

    broken_on = item.get("broken_on")
    return Agreement(
        agreement_id=str(item["agreement_id"]),
        assessment_id=str(item["assessment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate_key"]),
        vehicle_id=str(item["vehicle_id"]),
        as_of=date.fromisoformat(item["as_of"]),
        years=tuple(YearAmount(int(of["year"]), int(of["amount_rial"])) for of in item["years"]),
        surcharge_rial=int(item["surcharge_rial"]),
        rounding_rial=int(item["rounding_rial"]),
        parts=tuple(
            Part(int(of["number"]), int(of["amount_rial"]), date.fromisoformat(of["due_on"]))
            for of in item["parts"]
        ),
        grace_days=int(item["grace_days"]),
        trace_hash=str(item["trace_hash"]),
        tariff_version=str(item["tariff_version"]),
        requested_by=str(item["requested_by"]),
        office=str(item["office"]),
        status=AgreementStatus(item["status"]),
        approved_by=str(item["approved_by"]),
        paid_parts=int(item["paid_parts"]),
        broken_on=date.fromisoformat(broken_on) if broken_on else None,
        version=int(item["version"]),
        vehicle_class=str(item.get("vehicle_class", "")),
        rejected_by=str(item.get("rejected_by", "")),
        rejection_reason=str(item.get("rejection_reason", "")),
    )


def note_item(agreement: Agreement) -> Item:
    """What a quote of the vehicle has to know: when the penalty rests, what is bound, what is to its credit."""
    running = agreement.status == IN_FORCE
    return {
        "agreement_id": agreement.agreement_id,
        "municipality": agreement.municipality,
        "plate_key": agreement.plate,
        "since": agreement.as_of.isoformat(),
        "until": agreement.broken_on.isoformat() if agreement.broken_on else None,
        "years": [part.year for part in agreement.years],
        "open_years": [part.year for part in agreement.open_years] if running else [],
        "credits": _years(agreement.credits) if agreement.broken_on else [],
    }


def bound_item(agreement: Agreement, year: int) -> Item:
    """A duty that only the parts of the agreement pay."""
    return {
        "payment_id": agreement.agreement_id,
        "agreement_id": agreement.agreement_id,
        "vehicle_id": agreement.vehicle_id,
        "year": year,
        "municipality": agreement.municipality,
        "plate_key": agreement.plate,
        "status": BOUND,
    }


def void_item(agreement: Agreement, number: int) -> Item:
    """A part that nobody pays any more."""
    return {
        "payment_id": agreement.agreement_id,
        "agreement_id": agreement.agreement_id,
        "instalment": number,
        "vehicle_id": agreement.vehicle_id,
        "municipality": agreement.municipality,
        "status": VOID,
    }


def _years(years: tuple[YearAmount, ...]) -> list[Item]:
    return [{"year": part.year, "amount_rial": part.amount_rial} for part in years]
