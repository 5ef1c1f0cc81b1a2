"""Replays an assessment that was given once: the same inputs under the same tariff, compared to the rial.

What went in stands in the answer itself (`vehicle`, `inputs`, `as_of`, `through_year`, `tariff_version`), so an
answer and the tariff of its version are all that it takes, however many years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from avarez.assessment.engine import assess
from avarez.assessment.model import Agreement, PaidYear, PenaltyPause, Residence, Vehicle
from avarez.assessment.tariff.table import Tariff
from avarez.assessment.trace import Assessment
from avarez.canonical import content_hash
from avarez.errors import AvarezError
from avarez.jalali import format_jalali, read_jalali, year_end, year_start
from avarez.money import parse_rial


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a replay gives otherwise than the stored answer; `where` is a JSON pointer."""

    where: str
    stored: Any
    replayed: Any

    def to_json(self) -> dict[str, Any]:
        """The form in reports."""
        return {"where": self.where, "stored": self.stored, "replayed": self.replayed}


def replay(answer: Mapping[str, Any], tariff: Tariff) -> Assessment:
    """The assessment that the answer's inputs give under the tariff.

    Raises:
        AvarezError: what the engine refuses (`TariffMissing`, `InvalidInput`).
        KeyError, ValueError, TypeError: it is no stored answer.
    """
    inputs = inputs_of(answer)
    return assess(
        Vehicle.from_json(answer["vehicle"]),
        [Residence(r["municipality"], _day(r["from_jalali"]), _day(r["to_jalali"])) for r in inputs["residences"]],
        [
            PaidYear(
                year=int(p["year"]),
                amount_rial=parse_rial(p["amount_rial"]),
                paid_on=_day(p["paid_on_jalali"]) or date.min,
                payment_id=p["payment_id"],
                municipality=p["municipality"],
            )
            for p in inputs["payments"]
        ],
        tariff,
        date.fromisoformat(answer["as_of"]),
        int(answer["through_year"]),
        answer["municipality"],
        pauses=[
            PenaltyPause(
                _day(p["from_jalali"]) or date.min,
                _day(p["to_jalali"]),
                None if p["years"] is None else frozenset(p["years"]),
            )
            for p in inputs["penalty_pauses"]
        ],
        agreements=[
            Agreement(
                a["agreement_id"],
                _day(a["from_jalali"]) or date.min,
                _day(a["to_jalali"]),
                frozenset(a["years"]),
                frozenset(a["open_years"]),
                tuple((int(of["year"]), parse_rial(of["amount_rial"])) for of in a["credits"]),
            )
            for a in inputs.get("agreements", ())
        ],
    )


def _day(text: str | None) -> date | None:
    return None if text is None else read_jalali(text)


def inputs_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The residences, payments and pauses that an answer rests on.

    Those of an answer from before answers held them are read back from its lines.
    """
    if answer.get("inputs"):
        return dict(answer["inputs"])
    city = answer["municipality"]
    elsewhere = {entry["year"]: entry["municipality"] for entry in answer.get("elsewhere", ())}
    residences = [
        {"municipality": elsewhere.get(year, city), "from_jalali": format_jalali(year_start(year)),
         "to_jalali": format_jalali(year_end(year))}
        for year in range(min(elsewhere), int(answer["through_year"]) + 1)
    ] if elsewhere else []  # fmt: skip
    payments = [
        {
            "year": line["year"],
            "amount_rial": str(-int(line["amount_rial"])),
            "paid_on_jalali": line["inputs"]["paid_on_jalali"],
            "payment_id": line["inputs"]["payment_id"],
            "municipality": line["inputs"].get("paid_to", city),
        }
        for line in answer["lines"]
        if line["kind"] == "paid"
    ]
    return {"residences": residences, "payments": payments, "penalty_pauses": []}


def differences(answer: Mapping[str, Any], tariff: Tariff) -> list[Difference]:
    """Everything in which a replay differs from the stored answer; empty when it is the same to the rial.

    The stored answer is also held against its own trace hash, so that a changed line is found even if the engine
    agrees with what is left.
    """
    if answer["tariff_version"] != tariff.content_hash:
        return [Difference("/tariff_version", answer["tariff_version"], tariff.content_hash)]
    try:
        again = replay(answer, tariff)
    except AvarezError as error:
        return [Difference("/", "assessed", f"{error.code}: {error.detail_en}")]
    trace = again.trace()
    found = []
    for name in ("owed_rial", "not_assessed_before"):
        if answer.get(name) != trace[name]:
            found.append(Difference(f"/{name}", answer.get(name), trace[name]))
    stored = [_evidence(line) for line in answer["lines"]]
    for number in range(max(len(stored), len(trace["lines"]))):
        pair = [lines[number] if number < len(lines) else None for lines in (stored, trace["lines"])]
        if pair[0] != pair[1]:
            found.append(Difference(f"/lines/{number}", *pair))
    if answer["trace_hash"] != again.trace_hash:
        found.append(Difference("/trace_hash", answer["trace_hash"], again.trace_hash))
    own = content_hash({**trace, "lines": stored, "owed_rial": answer["owed_rial"]})
    if own != answer["trace_hash"]:
        found.append(Difference("/trace_hash", answer["trace_hash"], own))
    return found


def _evidence(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("year", "kind", "amount_rial", "rule", "law", "inputs")}
