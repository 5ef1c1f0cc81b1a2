"""The public figures on the running system: built by the deployed function, equal to the ledger to the rial."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avarez_cli.main import main
from demo.visits import CITIES, visit
from tests.system.conftest import System
from tests.system.journey import pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system

CITY = "MASHHAD"
PAYMENTS = 6


def build(system: System, part: str = "report-build") -> dict[str, Any]:
    """One run of the builder, or of another scheduled function, as the schedule would have it."""
    answer = system.aws("lambda").invoke(FunctionName=system.local.function_name(part), Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return dict(told)


def test_figures_equal_the_trial_balance_and_can_be_recomputed_by_everybody(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, anybody, auditor = system.client("clerk"), system.client(None), system.client("auditor")
    before = int(auditor.get(f"/v1/municipalities/{CITY}/events?after=0&limit=1").json["head"])
    mine = {pay(system, clerk, fresh_plate()).certificate_id for _ in range(PAYMENTS)}

    def all_told() -> bool:
        told = auditor.get(f"/v1/municipalities/{CITY}/events?after={before}&limit=500").json["events"]
        issued = [event["data"] for event in told if event["type"] == "certificate.issued"]
        return mine <= {event["certificate"]["certificate_id"] for event in issued}

    # Until then the ledger has entries that the chain, and so the figures, cannot have.
    assert system.wait_for(all_told, 90)
    built = build(system)
    assert (built["broken"], built["cities"] >= 1) == (0, True)
    assert build(system, "assess-receivables")["broken"] == 0
    build(system)
    index = anybody.get("/v1/open")
    assert (index.status, index.headers["cache-control"]) == (200, "public, max-age=300")
    (told,) = [city for city in index.json["cities"] if city["municipality"] == CITY]
    table = anybody.get(told["files"]["csv"]["href"])
    assert table.body.startswith(b"\xef\xbb\xbfmunicipality,figure,")
    assert anybody.get(told["files"]["parquet"]["href"]).body[:4] == b"PAR1"
    assert anybody.get(f"/v1/open/cells/{CITY}/1405").status == 200
    assert anybody.get("/v1/open/files/nothing.csv").status == 404
    owed = anybody.get(told["owed"]["files"]["json"]["href"]).json
    assert owed["years"][-1]["duty_year"] == 1404, "the last year that has ended"
    assert int(owed["totals"]["owed_rial"]) == sum(int(rial) for _, _, rial, _ in owed["rows"]) > 0

    # Everybody, from the files; an auditor, from the events; and the ledger's own books.
    given = ["figures", "verify", "--origin", system.origin, "--municipality", CITY, "--json"]
    assert main(given) == 0
    (found,) = json.loads(capsys.readouterr().out)["cities"]
    assert (found["good"], found["owed_rial"]) == (True, owed["totals"]["owed_rial"])
    account = next(account for account in system.accounts if account["username"] == "auditor")
    monkeypatch.setenv("AVAREZ_PASSWORD", account["password"])
    assert main([*given, "--username", "auditor"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["cities"]
    assert found["collected_rial"] == told["totals"]["collected_rial"]
    books = auditor.get(f"/v1/municipalities/{CITY}/trial-balance").json
    own = (f"municipality_payable:{CITY}", f"municipality_rounding:{CITY}")
    balance_rial = -sum(int(row["balance_rial"]) for row in books["accounts"] if row["account"] in own)
    assert balance_rial == int(found["balance_rial"]) > 0
    assert build(system)["publication"] == 0, "nothing is new"


def test_a_city_publishes_where_the_duty_goes(system: System) -> None:
    account = next(account for account in system.accounts if account["group"] == "municipality")
    city = account["municipality"]
    officer, anybody = system.client(account["username"]), system.client(None)
    path = f"/v1/municipalities/{city}/budgets/1404"
    before = officer.get(path).json["version"]
    plan = {"total_rial": f"{before + 3}", "lines": [{"category": "roads", "rial": f"{before + 3}"}]}
    made = officer.put(path, {"replaces": before, "plan": plan})
    assert (made.status, made.json["version"]) == (200, before + 1)
    assert officer.put(path, {"replaces": before, "plan": {**plan, "total_rial": "9"}}).status == 422
    other = {"total_rial": "1", "lines": [{"category": "other", "rial": "1"}]}
    assert officer.put(path, {"replaces": before, "plan": other}).json["code"] == "budget_outdated"
    told = anybody.get(f"/v1/open/budgets/{city}")
    (year,) = [of for of in told.json["years"] if of["year"] == 1404]
    assert (year["version"], year["plan"]["total_rial"]) == (before + 1, plan["total_rial"])
    table = anybody.get(year["files"]["csv"]).body.decode("utf-8-sig")
    assert table.splitlines()[1].startswith(f'"{city}",1404,{before + 1},"plan","roads"')


def test_first_visits_leave_no_city_without_figures_and_happen_once(system: System) -> None:
    said: list[str] = []
    visit(system.local, said.append, visits=5)
    index = system.client(None).get("/v1/open").json
    assert {city["municipality"] for city in index["cities"]} >= set(CITIES)
    for city in index["cities"]:
        assert int(city["totals"]["collected_rial"]) > 0
        assert city["totals"]["payments"] >= 5
    visit(system.local, said.append, visits=5)
    assert len(said) == 2, "the mark says that they have been"
