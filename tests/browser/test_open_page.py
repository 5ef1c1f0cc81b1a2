"""The page of the public figures over files that the real builder made: languages, themes, 320 px, print."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from avarez.figures.cells import CellKey
from avarez.figures.definitions import DEFINITIONS
from avarez.figures.files import CityFigures, StepEnd, file_name
from avarez.figures.owed.rule import Basis, Charges, Owed
from avarez.jalali import year_start
from avarez.municipalities import find_municipality
from avarez.planning.budgets import Budget, Line, categories, document_of, files_of
from avarez.planning.document import planning_document
from tests.browser.conftest import document, shoot
from tests.browser.stub import ROOT, WEB, Stub
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, City

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WEIGHT_MAX_BYTES = 150_000
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A year and a half of two cities, published."""
    cities = [City(), City(municipality="SHIRAZ")]
    for number, city in enumerate(cities):
        for month in range(16):
            city.days(2, a_day=25 + 20 * number, at=BEGIN + timedelta(days=29 * month - 260))
    made = Desk(cities)
    for city in cities:
        basis = Basis(BEGIN.date(), (1,), "a" * 64, 1, "b" * 64)
        made.charged[city.municipality] = Charges(basis, CHARGED)
    made.publish()
    return made


CHARGED = {
    (year, name): Owed(rial * 100_000_000, vehicles)
    for year in (1403, 1404)
    for name, rial, vehicles in (
        ("passenger", 9, 2_000),
        ("motorcycle", 4, 900),
        ("truck", 2, 400),
        ("bus", 2, 400),
        ("van", 1, 4),
    )
}
"""What each of them is charged; a class of four vehicles is told with the smallest other one."""


def budgets_of(code: str, years: Sequence[Budget]) -> dict[str, Any]:
    """What `GET /v1/open/budgets/{municipality}` answers of these years."""
    city = find_municipality(code)
    assert city is not None
    told = []
    for budget in years:
        document = document_of(budget, version=1, previous="", published_at="2026-11-27T08:00:00.000Z")
        files = {form: f"/v1/open/files/{file_name(of, form)}" for form, of in files_of(document).items()}
        version = {"version": 1, "published_at": document["published_at"], "files": files}
        told.append({**document, "files": files, "versions": [version]})
    return {**city.to_json(), "categories": [of.told() for of in categories().values()], "years": told}


BUDGETS = (
    Budget(
        "TEHRAN",
        1405,
        (
            Line("public_transport", 6_200_000_000, "خرید صد اتوبوس برقی", "A hundred electric buses"),
            Line("roads", 3_100_000_000, "آسفالت معابر منطقه‌های جنوبی", "Paving in the southern districts"),
            Line("clean_air", 900_000_000),
        ),
        (Line("public_transport", 4_050_000_000), Line("roads", 3_300_000_000, "", "Paving, two districts more")),
    ),
    Budget("TEHRAN", 1404, (Line("roads", 2_000_000_000),)),
)


def years_of_a_city() -> dict[str, Any]:
    """Three whole years of daily payments with a rush at their end, a little apart, and two thirds of a fourth."""
    steps: list[StepEnd] = []
    for year, scale in ((1402, 30), (1403, 36), (1404, 41), (1405, 50)):
        for day in range(365 if year < 1405 else 245):
            weight = 1_000_000 * (12 if day > 330 + scale % 7 else 1)
            at = year_start(year) + timedelta(days=day)
            steps.append(StepEnd(len(steps) + 1, "0" * 64, at.isoformat(), scale * weight, scale))
    rows = {
        CellKey("collected", "1405-07", duty, "passenger", "online", ""): (rial * 10**9, 900)
        for duty, rial in (("1405", 7), ("1404", 3), ("1402", 2), ("1396", 1))
    }
    return planning_document(CityFigures("TEHRAN", tuple(steps), rows))


FORECAST = years_of_a_city()


def linked(files: dict[str, Any]) -> dict[str, Any]:
    """As the index names them."""
    return {form: {**of, "href": f"/v1/open/files/{of['name']}"} for form, of in files.items()}


@pytest.fixture
def site(stub: Stub, desk: Desk) -> Stub:
    """The stub answers as the function does."""
    manifest = desk.manifest()
    cities = []
    for entry in manifest["cities"]:
        city = find_municipality(entry["municipality"])
        assert city is not None
        owed = {**entry["owed"], "files": linked(entry["owed"]["files"])}
        cities.append({**city.to_json(), **entry, "files": linked(entry["files"]), "owed": owed})
        for name in (entry["files"]["json"]["name"], entry["owed"]["files"]["json"]["name"]):
            stub.answers[f"GET /v1/open/files/{name}"] = 200, json.loads(desk.files[name])
    standing = desk.standing()
    assert standing is not None
    named = {"name": standing.manifest, "href": f"/v1/open/files/{standing.manifest}"}
    stub.answers["GET /v1/open"] = 200, {**manifest, "cities": cities, "manifest": named}
    for of in manifest["cities"]:
        document = json.loads(desk.files[of["planning"]["json"]["name"]])
        stub.answers[f"GET /v1/open/planning/{of['municipality']}"] = 200, {**document, "files": {}}
    stub.answers["GET /v1/open/planning/TEHRAN"] = 200, {**FORECAST, "files": {}}
    for code in ("TEHRAN", "SHIRAZ"):
        of_city = [budget for budget in BUDGETS if budget.municipality == code]
        stub.answers[f"GET /v1/open/budgets/{code}"] = 200, budgets_of(code, of_city)
    told = [definition.told() for definition in DEFINITIONS]
    stub.answers["GET /v1/open/definitions"] = 200, {"definitions": told}
    return stub


@pytest.fixture(params=["fa-light", "fa-dark", "en-light", "en-dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, site: Stub) -> Iterator[tuple[str, Page]]:
    """The page in a language and a theme; it fails when a script raises or the policy is broken."""
    language, theme = request.param.split("-")
    context = browser.new_context(viewport={"width": 1366, "height": 900}, color_scheme=theme)
    context.add_init_script(f"localStorage.setItem('avarez.language', '{language}')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{site.origin}/open#/city/TEHRAN/budget")
    page.locator(".sums").wait_for()
    yield request.param, page
    assert faults == []
    context.close()


def serious(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [
        (of["id"], [node["target"] for node in of["nodes"]][:3])
        for of in found["violations"]
        if of["impact"] in ("serious", "critical")
    ]


def test_page_has_no_serious_finding_in_any_language_or_theme(themed: tuple[str, Page]) -> None:
    name, page = themed
    page.locator("#planners summary").first.click()
    page.locator(".curves").wait_for()
    page.locator("#owed summary").click()
    shoot(page, f"open-{name}")
    if name == "fa-light":
        page.evaluate("scrollTo(0, 0)")
        document(page.screenshot(), "open-fa")
        for part in ("budget", "owed", "planners"):
            document(page.locator(f"#{part}").screenshot(), f"open-{part}-fa")
    assert serious(page) == []


def test_page_says_what_the_files_say_to_the_rial(page: Page, site: Stub, desk: Desk) -> None:
    page.add_init_script("localStorage.setItem('avarez.language', 'en')")
    page.goto(f"{site.origin}/open")
    left = page.locator("#collected-rial")
    left.wait_for()
    all_rial = sum(city.ledger_rial() for city in desk.cities)
    assert left.inner_text() == f"{all_rial:,}"
    page.locator("#choose-city").select_option("SHIRAZ")
    page.wait_for_function(
        f"document.getElementById('collected-rial').textContent === '{desk.cities[1].ledger_rial():,}'"
    )
    page.locator("#choose-year").select_option("1405")
    page.locator("text=Collected by month").first.wait_for()
    rows = desk.figures("SHIRAZ").rows
    wanted = sum(rial for key, (rial, _) in rows.items() if key.month.startswith("1405"))
    page.wait_for_function(f"document.getElementById('collected-rial').textContent === '{wanted:,}'")
    assert page.evaluate("document.activeElement.id") == "choose-year"


def test_what_is_owed_stands_beside_what_was_collected(page: Page, site: Stub, desk: Desk) -> None:
    page.add_init_script("localStorage.setItem('avarez.language', 'en')")
    page.goto(f"{site.origin}/open#/city/TEHRAN")
    card = page.locator("#owed")
    card.wait_for()
    rows = desk.figures("TEHRAN").rows
    collected = {
        year: sum(rial for key, (rial, _) in rows.items() if key.duty_year == year) for year in ("1404", "1403")
    }
    charged = 1_800_000_000
    told = [row.locator("td").all_inner_texts()[:2] for row in card.locator(".pairs tbody tr").all()]
    assert told == [
        *([f"{charged:,}", f"{rial:,}"] for rial in collected.values()),
        [f"{2 * charged:,}", f"{sum(collected.values()):,}"],
    ]
    rest = sum(rial for rial, _ in rows.values()) - sum(collected.values())
    assert f"{rest:,} rial collected" in card.inner_text()
    card.locator("summary").click()
    classes = [row.inner_text().split("\t") for row in card.locator("details tbody tr").all()]
    assert [row[:2] for row in classes[:4]] == [
        ["1404", "Passenger car"], ["1404", "Motorcycle"], ["1404", "merged"], ["1404", "Truck"]
    ]  # fmt: skip
    assert classes[2] == ["1404", "merged", "404", f"{300_000_000:,}", "–"]
    trucks = sum(rial for key, (rial, _) in rows.items() if key[2:4] == ("1404", "truck"))
    assert classes[3] == ["1404", "Truck", "400", f"{200_000_000:,}", f"{trucks:,}"]
    parts = [int(row[-1].replace(",", "")) for row in classes if row[0] == "1404" and row[-1] != "–"]
    assert sum(parts) == collected["1404"], "what is told without its class has a line"
    page.locator("#choose-city").select_option("")
    card.locator("details th[scope=col]").nth(5).wait_for(state="attached")
    assert card.locator(".pairs .strong td").first.inner_text() == f"{4 * charged:,}"


def test_a_citys_link_shows_where_the_money_went(page: Page, site: Stub, desk: Desk) -> None:
    page.add_init_script("localStorage.setItem('avarez.language', 'en')")
    page.goto(f"{site.origin}/open#/city/TEHRAN/budget")
    card = page.locator("#budget")
    card.wait_for()
    page.wait_for_function("document.activeElement.id === 'budget'")
    assert page.locator("#choose-city").input_value() == "TEHRAN"
    totals = card.locator("tr.strong td").all_inner_texts()
    assert totals == ["10,200,000,000", "", "7,350,000,000", ""]
    roads = card.locator("tbody tr", has_text="Building and mending roads")
    assert roads.locator("td").all_inner_texts() == ["3,100,000,000", "30.3%", "3,300,000,000", "44.8%"]
    assert "Paving, two districts more" in roads.inner_text()
    rows = desk.figures("TEHRAN").rows
    collected = sum(rial for key, (rial, _) in rows.items() if key.month.startswith("1405"))
    assert page.locator("#budget-collected").inner_text() == f"{collected:,}"
    page.locator("#budget-year").select_option("1404")
    assert card.locator("tr.strong td").all_inner_texts() == ["2,000,000,000", ""]
    page.goto(f"{site.origin}/open#/city/SHIRAZ/budget")
    card.locator("text=has not yet said").wait_for()


def test_planners_see_the_forecast_with_its_error_and_compare_days(page: Page, site: Stub) -> None:
    page.add_init_script("localStorage.setItem('avarez.language', 'en')")
    page.goto(f"{site.origin}/open#/city/TEHRAN")
    page.locator("#planners summary").first.click()
    page.locator("#forecast").wait_for()
    assert page.locator("#forecast").inner_text() == f"{int(FORECAST['forecast']['rial']):,}"
    assert page.locator(".curves polyline").count() == 4
    assert page.locator("#planners", has_text="3 years, 1 inside their interval").count() == 1
    windows: dict[str, Any] = {"before_rial": "1000", "after_rial": "1375", "change_ppm": 375_000}
    answer: dict[str, Any] = {"municipality": "TEHRAN", "day_jalali": "1404-11-10", "city": windows}
    answer |= {"city_year_before": windows, "others": None, "others_year_before": None}
    answer |= {"over_own_year_ppm": 275_000, "over_others_ppm": -4_000, "over_both_ppm": None}
    asked = "GET /v1/open/effects/TEHRAN/1404-11-10/14/SHIRAZ"
    site.answers[asked] = 422, {"errors": [{"message": "The figures do not hold all days."}]}
    page.locator("#effect-day").fill("۱۴۰۴/۱۱/۱۰")
    page.locator("#effect-compare").click()
    page.locator(".answer", has_text="do not hold all days").wait_for()
    site.answers[asked] = 200, answer
    page.locator("#effect-compare").click()
    page.locator(".answer", has_text="+37.5%").wait_for()
    assert page.locator(".answer dd .number").all_inner_texts() == ["+27.5%", "\u22120.4%"]


def test_language_switch_turns_the_page_around(page: Page, site: Stub) -> None:
    page.goto(f"{site.origin}/open")
    page.locator(".sums").wait_for()
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert re.search("[۰-۹]", page.locator("#collected").inner_text())
    page.locator("#language").click()
    page.locator("h1", has_text="Public figures").wait_for()
    assert page.evaluate("document.documentElement.dir") == "ltr"
    page.locator(".sums").wait_for()
    assert re.fullmatch(r"[\d,]+\.\d", page.locator("#collected").inner_text())


def test_before_the_first_publication_the_page_says_so(page: Page, stub: Stub) -> None:
    stub.answers["GET /v1/open/definitions"] = 200, {"definitions": []}
    page.goto(f"{stub.origin}/open")
    page.locator(".notice", has_text="هنوز آماری منتشر نشده است").wait_for()


def test_a_failure_can_be_tried_again(page: Page, site: Stub) -> None:
    good = site.answers["GET /v1/open"]
    site.answers["GET /v1/open"] = 503, {"code": "service_busy"}
    page.goto(f"{site.origin}/open")
    page.locator(".notice button").wait_for()
    site.answers["GET /v1/open"] = good
    page.locator(".notice button").click()
    page.locator(".sums").wait_for()


def test_printed_page_has_every_chart(browser: Browser, site: Stub) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.origin}/open")
    page.locator(".sums").wait_for()
    folder = ROOT / ".build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    content = page.pdf(path=str(folder / "open-printed.pdf"), format="A4")
    assert content.startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.locator("#choose-city").is_visible()
    assert page.locator("svg.map").is_visible()
    context.close()


def test_page_asks_nobody_else_and_sends_nothing(page: Page, site: Stub) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.origin}/open")
    page.locator(".sums").wait_for()
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {site.origin.split("/")[2]}
    assert all(method == "GET" for method, *_ in site.seen)


def test_page_weighs_less_than_its_limit() -> None:
    files = [
        *sorted((WEB / "open").iterdir()),
        *(WEB / "common" / name for name in ("base.css", "dom.js", "text.js")),
    ]
    assert sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) < WEIGHT_MAX_BYTES // 5


def test_map_has_every_province_once_and_no_two_in_one_place() -> None:
    text = (WEB / "open" / "map.js").read_text("utf-8")
    tiles = re.findall(r'"?([A-Z][A-Z-]+)"?: \[(\d, \d), "[^"]+", "[^"]+"\]', text)
    listed = (ROOT / "layers/common/avarez/data/province_codes.csv").read_text("utf-8").splitlines()[1:]
    assert {code for code, *_ in tiles} == {line.split(",")[1] for line in listed}
    assert len({place for _, place in tiles}) == len(tiles) == 31


def test_both_languages_are_there_for_every_sentence() -> None:
    text = Path(WEB / "open" / "words.js").read_text("utf-8")
    pairs = re.findall(r'"?([\w.]+)"?: \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\]', text)
    assert len(pairs) > 60
    for name, persian, english in pairs:
        assert set(re.findall(r"\{\w+\}", persian)) == set(re.findall(r"\{\w+\}", english)), name
    scripts = "".join((WEB / "open" / f"{name}.js").read_text("utf-8") for name in ("app", "owed"))
    used = re.findall(r"""\bt\("(\w+)""", scripts)
    assert set(used) <= {of for of, *_ in pairs}
