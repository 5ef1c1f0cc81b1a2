"""Answers of the contract's shape for receivables, the tariff desk and the roll, computed by the real rules where
there are some."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from avarez.assessment.review import review
from avarez.assessment.tariff import load_tariff
from avarez.errors import TariffInvalid
from avarez.fleet.fleet import Fleet
from avarez.fleet.simulation import Simulation
from avarez.municipalities import is_municipality
from avarez.receivables.table import Commitment, Receivables, Row
from avarez.roll.rows import RollReader, RollRow
from functions.assess.tariffs.lifecycle import merged
from tests.browser.demo_answers import in_minutes, problem
from tests.browser.stub import ROOT, Stub

CITY = "TEHRAN"
HERE = f"/v1/municipalities/{CITY}"
DRAFT_ID, SIMULATED_ID = "ta_" + "1" * 36, "ta_" + "2" * 36
ROLL_ID, COMMITTED_ID = "ro_" + "1" * 36, "ro_" + "2" * 36
DAY = date(2026, 11, 27)
TARIFF = load_tariff(ROOT / "demo" / "tariffs")
SHARES = (("passenger", 100), ("truck", 14), ("motorcycle", 9), ("pickup_single", 22), ("taxi", 6))


def receivables() -> dict[str, Any]:
    """Eleven years of five classes."""
    table = Receivables(CITY, Commitment((1, 2, 3), TARIFF.content_hash, 1205, "c" * 64, DAY))
    for number, year in enumerate(range(1395, 1406)):
        table.oldest[year] = 900 + 140 * number
        for name, share in SHARES:
            base = share * 61_300_000 * (3 + number)
            row = table.row(year, name)
            row.take(
                Row(
                    collected_rial=base * 4 + share,
                    base_rial=base,
                    penalty_rial=base * (10 - number) // 5,
                    rounding_rial=share * 3,
                    duties_open=share * (11 + number),
                    duties_paid=share * 40,
                )
            )
    table.vehicles, table.one_by_one, table.not_assessed = 41_205, 312, 17
    return {**table.to_json(), "computed_at": in_minutes(-420)}


def local_row(number: int, **members: Any) -> dict[str, Any]:
    """A row of the city's own."""
    return {
        "id": f"tehran-principal-{number}",
        "kind": "principal",
        "duty_years": [1404, 1405],
        "places": [CITY],
        "classes": ["truck"],
        "rate": "0.8/1000",
        "law": "vat-1400",
        "article_fa": "ماده ۲۹",
        "article_en": "art. 29",
        "reference": "مصوبهٔ شورا، ۱۴۰۵/۰۸/۱۲",
        "demonstration": True,
        **members,
    }


DISCOUNT = local_row(
    2,
    id="tehran-discount-1",
    kind="discount",
    duty_years=[1395, 1404],
    of=["penalty"],
    rate="50/100",
    as_of_from_jalali="1405-12-01",
    as_of_to_jalali="1405-12-29",
    reason_fa="بخشودگی جریمه",
    reason_en="amnesty on penalties",
)


class Draft:
    """A draft that is checked by the real check, whatever the page writes into it."""

    def __init__(self, tariff_id: str, rows: list[dict[str, Any]], **members: Any) -> None:
        self.content: dict[str, Any] = {"schema": 1, "rows": rows}
        self.told: dict[str, Any] = {
            "tariff_id": tariff_id,
            "authority": CITY,
            "title": "مصوبهٔ شورا دربارهٔ کامیون‌ها",
            "status": "draft",
            "files": ["rows.json"],
            "created_by": "tehran",
            "created_at": in_minutes(-90),
            "events": [event("created", "tehran", -90)],
            "tariff_version": None,
            "base_version": None,
            **members,
        }
        self.read = 0

    def step(self, status: str, did: str, by: str = "tehran") -> dict[str, Any]:
        self.told = {**self.told, "status": status, "events": [*self.told["events"], event(did, by, 0)]}
        return self.told

    def written(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.content = body
        return 200, self.step("draft", "file rows.json written")

    def checked(self, _: Any) -> tuple[int, Any]:
        try:
            tariff = merged(CITY, {"rows.json": self.content}, TARIFF)
            found: Any = review(tariff, published=TARIFF, as_of=DAY, is_municipality=is_municipality, of_city=CITY)
            errors = [one.field_error() for one in found]
        except TariffInvalid as refused:
            errors = list(refused.errors)
        findings = [
            {"pointer": one.pointer, "code": one.code, "message_fa": one.message_fa, "message_en": one.message_en}
            for one in errors
        ]
        told = self.step("draft" if findings else "checked", f"checked: {len(findings)} findings")
        return 200, {"publishable": not findings, "findings": findings, "tariff": told}

    def simulating(self, _: Any) -> tuple[int, Any]:
        self.read = 0
        return 202, self.step("simulating", "simulation asked")

    def standing(self, _: Any) -> tuple[int, Any]:
        self.read += 1
        if self.told["status"] == "simulating" and self.read > 1:
            self.step("simulated", "simulated", "simulator")
        return 200, self.told

    def simulation(self, _: Any) -> tuple[int, Any]:
        return 200, simulation(self.content)

    def load(self, stub: Stub) -> None:
        path = f"/v1/tariffs/{self.told['tariff_id']}"
        stub.answers |= {
            f"GET {path}": self.standing,
            f"GET {path}/files/rows.json": lambda _: (200, self.content),
            f"PUT {path}/files/rows.json": self.written,
            f"POST {path}/checks": self.checked,
            f"POST {path}/simulations": self.simulating,
            f"GET {path}/simulation": self.simulation,
            f"POST {path}/approvals": lambda _: (200, self.step("published", "approved and published", "tehran2")),
            f"POST {path}/withdrawals": lambda body: (
                200,
                self.step("withdrawn", f"withdrawn: {body['reason']}"),
            ),
        }


def event(did: str, by: str, minutes: float) -> dict[str, str]:
    return {"at": in_minutes(minutes), "by": by, "did": did}


_SIMULATED: dict[str, Any] = {}


def simulation(content: dict[str, Any]) -> dict[str, Any]:
    """What the real simulation says of the demonstration's roll; each content is simulated once."""
    key = json.dumps(content, sort_keys=True)
    if key not in _SIMULATED:
        lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
        read = RollReader().read(line + "\n" for line in lines)
        fleet = fleet_of([row for row in read if isinstance(row, RollRow)][:400])
        made = Simulation(TARIFF, merged(CITY, {"rows.json": content}, TARIFF), DAY, 1405)
        made.add_city(CITY, fleet)
        _SIMULATED[key] = {"tariff_id": SIMULATED_ID, "one_in": 1, **made.to_json()}
    return dict(_SIMULATED[key])


def fleet_of(rows: list[RollRow]) -> Fleet:
    import io

    from avarez.fleet.columns import ColumnWriter

    writer, file = ColumnWriter(), io.BytesIO()
    for row in rows:
        writer.add_row(row)
    writer.write(file)
    file.seek(0)
    return Fleet.read(file)


def a_roll(**members: Any) -> dict[str, Any]:
    """A roll that waits for its commit."""
    return {
        "roll_id": ROLL_ID,
        "municipality": CITY,
        "status": "previewed",
        "rows_read": 41_300,
        "added": 1_204,
        "changed": 310,
        "unchanged": 39_691,
        "refused": 95,
        "version": 3,
        "created_by": "tehran",
        "created_at": in_minutes(-30),
        "refused_by_code": {"plate_malformed": 51, "national_id_invalid": 40, "duplicate_row": 4},
        "progress": {"chunks_done": 83, "chunks_total": 83},
        "refused_rows_url": "/v1/refused.csv",
        **members,
    }


def committed_roll() -> dict[str, Any]:
    more = {"committed_by": "tehran2", "committed_at": in_minutes(-9_000), "refused_rows_url": None}
    return a_roll(roll_id=COMMITTED_ID, status="committed", version=2, refused=0, refused_by_code={}, **more)


def load_figures(stub: Stub) -> Draft:
    """Receivables, two drafts and two rolls; the draft that is being written has a mistake in it."""
    drafted = Draft(DRAFT_ID, [local_row(1, duty_years=[1406, 1406]), DISCOUNT])
    steps = [event("created", "tehran", -900), event("file rows.json written", "tehran", -870)]
    steps += [event("checked: 0 findings", "tehran", -860), event("simulated", "simulator", -859)]
    rows = [
        local_row(1, duty_years=[1406, 1406], rate="0.5/1000"),
        {**DISCOUNT, "as_of_from_jalali": "1405-09-01"},
    ]
    ready = Draft(SIMULATED_ID, rows, status="simulated", title="بخشودگی جریمه‌ها، آذر ۱۴۰۵", events=steps)
    version = {
        "tariff_version": TARIFF.content_hash,
        "supersedes": None,
        "superseded_by": None,
        "superseded_at": None,
        "published_at": in_minutes(-200_000),
        "authority": "national",
        "title": "installed with the system",
    }
    rolls = [a_roll(), committed_roll()]
    stub.answers |= {
        f"GET {HERE}/receivables": (200, receivables()),
        f"GET {HERE}/receivables.csv": (200, {"rows": []}),
        "GET /v1/tariffs": lambda _: (
            200,
            {"authority": CITY, "drafts": [drafted.told, ready.told], "versions": [version]},
        ),
        "GET /v1/tariffs/versions/current": (200, {**version, "document": TARIFF.document}),
        "POST /v1/tariffs": lambda body: (201, {**drafted.told, "title": body["title"]}),
        "GET /v1/rolls": (200, {"municipality": CITY, "rolls": rolls, "visible_versions": [1, 2]}),
        f"GET /v1/rolls/{ROLL_ID}": (200, a_roll()),
        f"GET /v1/rolls/{COMMITTED_ID}": (200, committed_roll()),
        f"POST /v1/rolls/{ROLL_ID}/commit": (
            202,
            a_roll(status="committed", committed_by="tehran", committed_at=in_minutes(0)),
        ),
        f"POST /v1/rolls/{COMMITTED_ID}/rollback": problem(
            409,
            "roll_in_use",
            duties_total=1,
            duties=[{"vehicle_id": "ve_1", "year": 1404, "plate": "12B345-67", "status": "paid"}],
        ),
    }
    drafted.load(stub)
    ready.load(stub)
    return drafted
