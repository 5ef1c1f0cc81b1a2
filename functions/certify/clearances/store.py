"""Clearances in DynamoDB: what they rest on, and the one transaction that asks for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from avarez import keys
from avarez.certificates.status import CertificateStatus
from avarez.clock import TEHRAN, to_rfc3339
from avarez.duties import FREE
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.endings import ending_writes
from avarez.errors import BillOpen, DutyLocked, TransactionRefused
from avarez.events.entries import event_of
from avarez.events.log import waiting_write
from avarez.ids import new_id
from avarez.journal import journal_item
from functions.certify.clearances.clearing import Clearance, ClearedYear, Held, PaidDuty, Quoted

AS_READ = "#status = :paid AND payment_id = :payment AND amount_rial = :amount"
NO_BILL = "attribute_not_exists(pk) OR lapses_at < :now"


class ClearanceTable:
    """Everything over the duty and the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._ledger = ledger

    # -- reading -------------------------------------------------------------------------------------

    def quoted(self, assessment_id: str) -> Quoted | None:
        """What the quote was about, read consistently."""
        item = self._pointed(assessment_id)
        if item is None:
            return None
        return Quoted(
            municipality=str(item["municipality"]),
            vehicle_id=str(item["vehicle_id"]),
            as_of=date.fromisoformat(item["as_of"]),
            through_year=int(item["through_year"]),
        )

    def paid(self, vehicle_id: str, years: Sequence[int]) -> dict[int, PaidDuty]:
        """The duty years that are paid, each with what its bank or its paper calls it."""
        duties = batch_get(self._duty, (keys.duty(vehicle_id, year) for year in years))
        paid = [duty for duty in duties.values() if duty.get("status") == "paid"]
        payments = self._payments({str(duty["payment_id"]) for duty in paid})
        return {int(duty["year"]): _paid_duty(duty, payments) for duty in paid}

    def _payments(self, payment_ids: set[str]) -> dict[str, Item]:
        pointers = batch_get(self._duty, [keys.pointer(payment_id) for payment_id in sorted(payment_ids)])
        places = map(keys.target, pointers.values())
        found = batch_get(self._duty, places).values()
        return {str(item["payment_id"]): item for item in found if "payment_id" in item}

    def objected(self, vehicle_id: str, cities: Sequence[str]) -> list[str]:
        """The cities in which an objection of the vehicle is open."""
        locks = {keys.objection_lock(vehicle_id, city): city for city in cities}
        return sorted(locks[key] for key in batch_get(self._duty, locks))

    def held(self, vehicle_id: str) -> Held | None:
        """The vehicle's clearance, in force or in the making."""
        item = self._duty.follow(keys.clearance(vehicle_id))
        if item is None:
            return None
        return Held(
            certificate_id=str(item["certificate_id"]),
            municipality=str(item["municipality"]),
            plate=str(item["plate"]),
            status=CertificateStatus(item["status"]),
            paid_through=int(item["paid_through_year"]),
        )

    def _pointed(self, identifier: str) -> Item | None:
        return self._duty.follow(keys.pointer(identifier))

    # -- writing -------------------------------------------------------------------------------------

    def write(self, clearance: Clearance, held: Held | None) -> bool:
        """Everything or nothing; False where something was not as it had been read."""
        writes = [
            *self._certificate(clearance, held),
            *self._rests_on(clearance),
            *self._written_off(clearance),
            *self._superseded(clearance, held),
        ]
        try:
            transact(
                writes,
                mine=lambda: self._duty.get(keys.pointer(clearance.certificate_id)) is not None,
                dynamodb=self._duty.dynamodb,
            )
        except TransactionRefused:
            return False
        return True

    def _certificate(self, clearance: Clearance, held: Held | None) -> Iterator[Item]:
        """The record, its pointer, the outbox row that asks for it, and the vehicle's one place for it."""
        key = keys.certificate(clearance.municipality, clearance.plate, clearance.certificate_id)
        place = {**keys.leading_to(key), "municipality": clearance.municipality}
        yield self._duty.put_new(key, _record(clearance, held))
        yield self._duty.put_new(keys.pointer(clearance.certificate_id), place)
        event_id = new_id("ev", clearance.at)
        row = {
            "event_id": event_id,
            "type": "certificate.issued",
            "payment_id": "",
            "municipality": clearance.municipality,
            "certificate_id": clearance.certificate_id,
            "created_at": to_rfc3339(clearance.at),
            "pending_shard": str(keys.shard_of(clearance.certificate_id)),
        }
        yield self._ledger.put_new(keys.outbox(clearance.municipality, clearance.certificate_id, event_id), row)
        payments = sorted({year.paid.payment_id for year in clearance.years if year.paid is not None})
        lock = {**place, "certificate_id": clearance.certificate_id, "payments": payments}
        if held is None:
            yield self._duty.put_new(keys.clearance(clearance.vehicle_id), lock)
        else:
            yield self._duty.put(
                keys.clearance(clearance.vehicle_id), lock, "certificate_id = :held", held=held.certificate_id
            )

    def _rests_on(self, clearance: Clearance) -> Iterator[Item]:
        """Each paid year is paid as it was read, and nobody has objected meanwhile."""
        for year in clearance.years:
            if year.paid is not None:
                yield self._duty.check(
                    keys.duty(clearance.vehicle_id, year.year),
                    AS_READ,
                    paid="paid",
                    payment=year.paid.payment_id,
                    amount=year.paid.amount_rial,
                )
        for city in clearance.cities:
            lock = keys.objection_lock(clearance.vehicle_id, city.municipality)
            yield self._duty.check(lock, "attribute_not_exists(pk)")

    def _written_off(self, clearance: Clearance) -> Iterator[Item]:
        """Years that nobody pays any more: settled at nothing, if nobody holds them; and the cities' entries."""
        now = to_rfc3339(clearance.at)
        for city in clearance.cities:
            if not city.waived:
                continue
            bill = keys.open_bill(clearance.vehicle_id, city.municipality)
            yield self._duty.check(bill, NO_BILL, now=now)
            for part in city.waived:
                duty = {
                    "status": "paid",
                    "payment_id": clearance.certificate_id,
                    "vehicle_id": clearance.vehicle_id,
                    "year": part.year,
                    "municipality": city.municipality,
                    "plate": clearance.plate,
                    "amount_rial": 0,
                    "waived_rial": part.amount_rial,
                    "paid_on": clearance.at.astimezone(TEHRAN).date().isoformat(),
                    "paid_at": now,
                }
                key = keys.duty(clearance.vehicle_id, part.year)
                yield self._duty.put(key, duty, FREE, leased="leased", now=now)
        for entry in clearance.entries:
            key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
            yield self._ledger.put_new(key, journal_item(entry))
            yield waiting_write(self._ledger, event_of(entry))

    def _superseded(self, clearance: Clearance, held: Held | None) -> Iterator[Item]:
        """The clearance in force gives way to the new one."""
        if held is None:
            return
        key = keys.certificate(held.municipality, held.plate, held.certificate_id)
        item = self._duty.get(key) or {}
        changes = {
            "status": CertificateStatus.SUPERSEDED.value,
            "superseded_by": clearance.certificate_id,
            "superseded_at": to_rfc3339(clearance.at),
        }
        yield self._duty.update(key, changes, "#status = :in_force", in_force=CertificateStatus.IN_FORCE.value)
        yield from ending_writes(item, CertificateStatus.SUPERSEDED, duty=self._duty, ledger=self._ledger)

    def check_free(self, clearance: Clearance) -> None:
        """Raises `DutyLocked` or `BillOpen` where somebody is paying what would be written off."""
        now = to_rfc3339(clearance.at)
        waived = [(city, part.year) for city in clearance.cities for part in city.waived]
        duties = batch_get(self._duty, (keys.duty(clearance.vehicle_id, year) for _, year in waived))
        leased = [
            str(duty["lease_until_at"])
            for duty in duties.values()
            if duty["status"] == "leased" and ("confirmed" in duty or str(duty["lease_until_at"]) >= now)
        ]
        if leased:
            raise DutyLocked(extra={"locked_until_at": max(leased)})
        bills = batch_get(
            self._duty, (keys.open_bill(clearance.vehicle_id, city.municipality) for city, _ in waived)
        )
        for bill in bills.values():
            if str(bill["lapses_at"]) >= now:
                extra = {"payment_id": str(bill["payment_id"]), "expires_at": str(bill["lapses_at"])}
                raise BillOpen(extra=extra)


def _paid_duty(duty: Mapping[str, Any], payments: Mapping[str, Item]) -> PaidDuty:
    payment = payments.get(str(duty["payment_id"])) or {}
    reference = payment.get("tracking") or payment.get("reference") or duty.get("prior_certificate")
    return PaidDuty(
        year=int(duty["year"]),
        municipality=str(duty["municipality"]),
        amount_rial=int(duty["amount_rial"]),
        paid_on=date.fromisoformat(duty["paid_on"]),
        payment_id=str(duty["payment_id"]),
        reference=str(reference or ""),
        waived_rial=int(duty.get("waived_rial", 0)),
    )


def _record(clearance: Clearance, held: Held | None) -> Item:
    """The reserved certificate: everything that its issuer needs, and no owner."""
    earlier = [city.not_assessed_before for city in clearance.cities if city.not_assessed_before is not None]
    item: Item = {
        "certificate_id": clearance.certificate_id,
        "payment_id": "",
        "status": CertificateStatus.PREPARING.value,
        "kind": "clearance",
        "municipality": clearance.municipality,
        "plate": clearance.plate,
        "vehicle_id": clearance.vehicle_id,
        "years": [_year_item(year) for year in clearance.years],
        "amount_rial": sum(year.amount_rial for year in clearance.years),
        "waived_rial": sum(year.waived_rial for year in clearance.years),
        "paid_at": to_rfc3339(_paid_at(clearance)),
        "paid_through_year": clearance.paid_through,
        "not_assessed_before": max(earlier) if earlier else None,
        "cities": [city.to_json() for city in clearance.cities],
        "as_of": clearance.at.astimezone(TEHRAN).date().isoformat(),
        "trace_hash": clearance.trace_hash,
        "assessment_id": clearance.assessment_id,
        "channel": "write_off",
        "office": clearance.office,
        "asked_by": clearance.by,
        "supersedes": held.certificate_id if held is not None else None,
    }
    return {name: value for name, value in item.items() if value is not None}


def _year_item(year: ClearedYear) -> Item:
    item: Item = {"year": year.year, "amount_rial": year.amount_rial, "municipality": year.municipality}
    if year.waived_rial:
        item["waived_rial"] = year.waived_rial
    elif year.paid is not None:
        item |= {"paid_on": year.paid.paid_on.isoformat(), "reference": year.paid.reference}
    return item


def _paid_at(clearance: Clearance) -> datetime:
    """Noon in Tehran of the day of the last payment; the moment of the clearance where nothing was ever paid."""
    days = [year.paid.paid_on for year in clearance.years if year.paid is not None and year.amount_rial]
    return datetime.combine(max(days), time(12), TEHRAN) if days else clearance.at
