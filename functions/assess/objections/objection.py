"""Use cases of an objection: open → accepted | rejected | withdrawn, escalated while it waits too long.

While it is open the penalty of the disputed years does not grow (`PenaltyPause`). A decision assesses again as of
the original day with the facts as they should have been; what was paid too much becomes a task to refund or credit
it, certificates of those years are superseded, and the facts are corrected for every later quote. Nothing is
decided by whoever filed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from avarez.assessment.model import PaidYear, Residence, Vehicle
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.errors import FieldError, InvalidInput, ObjectionConflict, ObjectionOpen, SecondPersonRequired
from avarez.ids import new_id
from avarez.jalali import read_jalali
from avarez.money import format_rial

if TYPE_CHECKING:  # the engine is loaded by the first decision
    from avarez.assessment import Assessment, Tariff

DUE_DAYS: Final = 30
"""Within so many days an officer decides; then it is escalated, and again after each half of it.

The law that could be read gives no term for this duty; a municipality's own, dated, would be a setting.
"""
LEVELS_MAX: Final = 3
"""1 the municipality's head, 2 the operator, 3 the auditor; it stays there."""
EVENTS_MAX: Final = 100
CORRECTABLE: Final = frozenset(
    {"vehicle_class", "origin", "fuel", "model_year", "model_calendar", "make", "model", "base_price_rial"}
    | {"cylinders", "displacement_cc", "sale_date_jalali"}
)
OPEN: Final = "open"

Objection = dict[str, Any]


class Cases(Protocol):
    """Where objections, and what they touch, are kept."""

    def quote(self, assessment_id: str) -> dict[str, Any] | None: ...

    def create(self, objection: Objection) -> bool: ...

    def close(self, objection: Objection, changes: Mapping[str, Any], effects: Effects | None) -> bool: ...

    def move(self, objection: Objection, changes: Mapping[str, Any]) -> bool: ...

    def paid_years(self, vehicle_id: str, years: Sequence[int]) -> list[PaidYear]: ...

    def tariff(self, version: str) -> Tariff: ...


@dataclass(frozen=True, slots=True)
class Effects:
    """What an accepted objection changes besides itself.

    `overpaid` lists the paid years that were too dear; `facts` are the corrected ones, all of them.
    """

    facts: Mapping[str, Any]
    assessment: Assessment
    overpaid: tuple[dict[str, Any], ...]

    @property
    def overpaid_rial(self) -> int:
        """What is to be refunded or credited in all."""
        return sum(int(entry["overpaid_rial"]) for entry in self.overpaid)


def file(
    cases: Cases,
    *,
    answer: Mapping[str, Any],
    vehicle_id: str,
    reason: str,
    text: str,
    evidence: Sequence[Mapping[str, str]],
    by: str,
    group: str,
    now: datetime,
) -> Objection:
    """A new objection to a stored assessment; the penalty of its unpaid years stands still from today.

    Raises:
        ObjectionOpen: another one of this vehicle in this city is open; `extra` names it.
        InvalidInput: nothing was owed in that assessment, nor paid.
    """
    years = [int(total["year"]) for total in answer["years"]]
    if not years:
        raise InvalidInput(
            "This assessment has no year to object to.", "این برآورد سالی ندارد که به آن اعتراض شود."
        )
    objection: Objection = {
        "objection_id": new_id("ob", now),
        "assessment_id": answer["assessment_id"],
        "municipality": answer["municipality"],
        "plate": answer["plate"]["key"],
        "vehicle_id": vehicle_id,
        "years": years,
        "reason": reason,
        "text": text,
        "evidence": [dict(entry) for entry in evidence],
        "status": OPEN,
        "level": 0,
        "revision": 0,
        "paused_from": tehran_today(now).isoformat(),
        "owed_rial": answer["owed_rial"],
        "created_by": by,
        "created_by_group": group,
        "created_at": to_rfc3339(now),
        "due_at": to_rfc3339(now + timedelta(days=DUE_DAYS)),
        "events": [_event("filed", by, now)],
    }
    if not cases.create(objection):
        raise ObjectionOpen()
    return objection


def reject(cases: Cases, objection: Objection, *, reason: str, by: str, now: datetime) -> Objection:
    """The objection, rejected with a reason; the penalty grows again from the next month on.

    Raises:
        SecondPersonRequired: `by` filed it. ObjectionConflict: it is decided, or changed at this moment.
    """
    _demand_open(objection, by)
    return _closed(cases, objection, "rejected", f"rejected: {reason}", by, now, None, {"decision_reason": reason})


def withdraw(cases: Cases, objection: Objection, *, by: str, now: datetime) -> Objection:
    """The objection, taken back.

    Raises:
        ObjectionConflict: it is decided, or changed at this moment.
    """
    if objection["status"] != OPEN:
        raise ObjectionConflict(extra={"status": objection["status"]})
    return _closed(cases, objection, "withdrawn", "withdrawn", by, now, None, {})


def accept(
    cases: Cases, objection: Objection, *, facts: Mapping[str, Any], reason: str, by: str, now: datetime
) -> Objection:
    """The objection, accepted: assessed again as of the original day with `facts` put right.

    Raises:
        SecondPersonRequired: `by` filed it. ObjectionConflict: it is decided, or changed at this moment.
        InvalidInput: a fact that is none, or facts that change nothing.
    """
    from avarez.assessment.differences import changes_between
    from avarez.assessment.trace import Line

    _demand_open(objection, by)
    answer = cases.quote(objection["assessment_id"])
    if answer is None:
        raise ObjectionConflict()
    effects = decided(cases, objection, answer, facts, now)
    before = [Line.from_json(line) for line in answer["lines"]]
    changes = changes_between(before, effects.assessment.lines)
    recomputed = {
        "owed_rial": format_rial(effects.assessment.owed_rial),
        "difference_rial": format_rial(effects.assessment.owed_rial - int(answer["owed_rial"])),
        "trace_hash": effects.assessment.trace_hash,
        "changes": [change.to_json() for change in changes],
        "overpaid": [dict(entry) for entry in effects.overpaid],
        "overpaid_rial": format_rial(effects.overpaid_rial),
    }
    details = {"decision_reason": reason, "corrected": dict(facts), "recomputed": recomputed}
    return _closed(cases, objection, "accepted", f"accepted: {reason}", by, now, effects, details)


def decided(
    cases: Cases, objection: Objection, answer: Mapping[str, Any], facts: Mapping[str, Any], now: datetime
) -> Effects:
    """What the corrected facts come to, under the original tariff, as of the original day.

    Raises:
        InvalidInput: a fact that is none, or facts that change nothing.
    """
    from avarez.assessment import assess
    from avarez.assessment.replay import inputs_of

    unknown = sorted(set(facts) - CORRECTABLE)
    if unknown or not facts:
        raise _refused_facts(", ".join(unknown) or "/facts")
    original = dict(answer["vehicle"])
    vehicle = Vehicle.from_json({**original, **facts})
    corrected = vehicle.to_json()
    if corrected == Vehicle.from_json(original).to_json():
        raise _refused_facts("/facts")
    inputs = inputs_of(answer)
    tariff = cases.tariff(answer["tariff_version"])
    residences = [
        Residence(r["municipality"], _day(r["from_jalali"]), _day(r["to_jalali"])) for r in inputs["residences"]
    ]
    city, through_year = objection["municipality"], int(answer["through_year"])

    def assessed(as_of: date, payments: Sequence[PaidYear]) -> Assessment:
        return assess(vehicle, residences, payments, tariff, as_of, through_year, city)

    as_of = date.fromisoformat(answer["as_of"])
    paid_then = [
        PaidYear(p["year"], int(p["amount_rial"]), _day(p["paid_on_jalali"]) or as_of, p["payment_id"],
                 p["municipality"])
        for p in inputs["payments"]
    ]  # fmt: skip
    overpaid = []
    for paid in cases.paid_years(objection["vehicle_id"], objection["years"]):
        if paid.municipality not in (None, city):
            continue
        due = {total.year: total.amount_rial for total in assessed(paid.paid_on, ()).years}.get(paid.year, 0)
        if paid.amount_rial > due:
            overpaid.append(
                {
                    "year": paid.year,
                    "payment_id": paid.payment_id,
                    "paid_rial": format_rial(paid.amount_rial),
                    "due_rial": format_rial(due),
                    "overpaid_rial": format_rial(paid.amount_rial - due),
                }
            )
    return Effects(corrected, assessed(as_of, paid_then), tuple(overpaid))


def escalated(objection: Objection, now: datetime) -> dict[str, Any] | None:
    """What changes when the objection has waited beyond its term; None while it has not, or cannot go higher."""
    if objection["status"] != OPEN or objection["level"] >= LEVELS_MAX or from_rfc3339(objection["due_at"]) > now:
        return None
    level = objection["level"] + 1
    return {
        "level": level,
        "due_at": to_rfc3339(now + timedelta(days=DUE_DAYS // 2)),
        "events": [*objection["events"], _event(f"escalated to level {level}", "sweep", now)],
    }


def _closed(
    cases: Cases,
    objection: Objection,
    status: str,
    did: str,
    by: str,
    now: datetime,
    effects: Effects | None,
    details: Mapping[str, Any],
) -> Objection:
    changes = {
        **details,
        "status": status,
        "decided_by": by,
        "decided_at": to_rfc3339(now),
        "paused_until": tehran_today(now).isoformat(),
        "events": [*objection["events"], _event(did, by, now)],
    }
    if not cases.close(objection, changes, effects):
        raise ObjectionConflict()
    return {**objection, **changes}


def _demand_open(objection: Objection, by: str) -> None:
    if objection["status"] != OPEN:
        raise ObjectionConflict(extra={"status": objection["status"]})
    if by == objection["created_by"]:
        raise SecondPersonRequired()


def _refused_facts(named: str) -> InvalidInput:
    names = ", ".join(sorted(CORRECTABLE))
    return InvalidInput(
        errors=[
            FieldError(
                "/facts",
                "facts_invalid",
                f"Give at least one fact that differs, of {names} ({named}).",
                f"دست‌کم یک مشخصهٔ تغییریافته از {names} بدهید ({named}).",
            )
        ]
    )


def _day(text: str | None) -> date | None:
    return None if text is None else read_jalali(text)


def _event(did: str, by: str, now: datetime) -> dict[str, str]:
    return {"at": to_rfc3339(now), "by": by, "did": did}


def objection_json(objection: Objection) -> dict[str, Any]:
    """The answer's form."""
    shown = (
        "objection_id", "assessment_id", "municipality", "plate", "years", "reason", "text", "evidence", "status",
        "level", "owed_rial", "created_by", "created_at", "due_at", "events",
    )  # fmt: skip
    optional = ("decision_reason", "decided_by", "decided_at", "corrected", "recomputed", "superseded", "task_id")
    return {
        **{name: objection[name] for name in shown},
        **{name: objection[name] for name in optional if objection.get(name) is not None},
    }
