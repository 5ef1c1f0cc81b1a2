"""Receivables, the tariff desk and the roll against set answers; check and simulation are the real ones."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city import figures
from tests.browser.city.answers import HERE
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import problem
from tests.browser.office.steps import open_view
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
PUT_ROWS = f"PUT /v1/tariffs/{figures.DRAFT_ID}/files/rows.json"


def test_receivables_add_up_on_the_page_as_in_the_answer(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-receivables").click()
    totals = figures.receivables()["totals"]
    shown = page.locator("#open-sum").inner_text()
    assert _digits(shown).startswith(totals["open_rial"])
    years = page.locator("tr[data-year]")
    expect(years).to_have_count(11)
    expect(years.first).to_contain_text("۱۴۰۵")
    every = page.locator(".year-total td").all_inner_texts()
    assert [_digits(text) for text in every[:3]] == [
        totals["owed_rial"],
        totals["collected_rial"],
        totals["open_rial"],
    ]
    expect(page.locator("#ageing tbody tr")).to_have_count(7)
    page.locator("#class").select_option("truck")
    trucks = [row for row in figures.receivables()["rows"] if row["vehicle_class"] == "truck"]
    opened = sum(int(row["open_rial"]) for row in trucks)
    assert _digits(page.locator(".year-total td").nth(2).inner_text()) == str(opened)
    with page.expect_download() as saved:
        page.locator("#csv").click()
    assert saved.value.suggested_filename == "TEHRAN-receivables.csv"
    shoot(page, "city-receivables")
    stub.answers[f"GET {HERE}/receivables"] = problem(404, "receivables_not_found")
    page.locator("#language").click()
    expect(page.locator("h1")).to_have_text("Receivables")
    expect(page.get_by_role("link", name="Import the roll")).to_be_visible()


def _digits(text: str) -> str:
    return "".join(str("۰۱۲۳۴۵۶۷۸۹".index(letter)) for letter in text if letter in "۰۱۲۳۴۵۶۷۸۹")


def test_a_mistake_is_marked_beside_its_field_mended_simulated_and_left_to_a_second_person(
    stub: Stub, page: Page
) -> None:
    begin(page, stub)
    open_view(page, f"#/tariff/{figures.DRAFT_ID}")
    ours = page.locator("#row-tehran-principal-1")
    expect(ours).to_contain_text("۰٫۸ در هزار")
    page.locator("#add-principal").click()
    page.locator("[name='duty_years.from']").fill("۱۴۰۶")
    page.locator("[name='duty_years.to']").fill("۱۴۰۶")
    page.locator("#f-value").fill("یک و نیم")
    page.locator("[name=classes][value=bus]").check()
    page.locator("#f-law").select_option("vat-1400")
    page.locator("#f-article_fa").fill("ماده ۲۹")
    page.locator("#f-article_en").fill("art. 29")
    page.locator("#f-reference").fill("مصوبهٔ ۱۲")
    # Neither another language nor another section loses what is being written.
    page.locator("#language").click()
    expect(page.locator("#save-row")).to_have_text("Keep the row")
    expect(ours).to_contain_text("0.8 per thousand")
    page.locator("#language").click()
    expect(page.locator("#f-reference")).to_have_value("مصوبهٔ ۱۲")
    expect(page.locator("[name=classes][value=bus]")).to_be_checked()
    page.locator("#save-row").dblclick()
    expect(page.locator("#check")).to_be_visible()
    assert len(stub.calls(PUT_ROWS)) == 1, "a double click keeps the row once"
    page.locator("#check").click()
    marked = page.locator("#row-tehran-principal-2")
    expect(page.locator("#findings li")).not_to_have_count(0)
    shoot(page, "city-draft-marked")
    marked.get_by_role("button", name="ویرایش").click()
    field = page.locator("#f-value")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-value-mark .mark").first).to_be_visible()
    shoot(page, "city-draft-field")
    field.fill("۱٫۵ در هزار")
    page.locator("#save-row").click()
    ours.get_by_role("button", name="ویرایش").click()
    expect(field).to_have_value("۰٫۸ در هزار")
    page.locator("#save-row").click()
    expect(ours).to_contain_text("۰٫۸ در هزار")
    page.locator("#check").click()
    expect(page.locator("#tariff-status")).to_have_text("بررسی‌شده")
    (*_, written) = stub.calls(PUT_ROWS)
    assert [row["rate"] for row in written["rows"]] == ["0.8/1000", "50/100", "1.5/1000"]
    assert written["rows"][-1]["duty_years"] == [1406, 1406]
    page.locator("#simulate").click()
    expect(page.locator("#sum-difference")).to_be_visible()
    expect(page.locator("#next")).to_contain_text("نفر دومی")
    expect(page.locator("#approve")).to_have_count(0)
    expect(page.locator("#history li")).to_have_count(8)


def test_second_person_sees_what_changes_and_publishes_once(stub: Stub, page: Page) -> None:
    begin(page, stub, "tehran2")
    page.locator("#nav-tariff").click()
    page.locator(f'tr[data-draft="{figures.SIMULATED_ID}"] a').click()
    told = figures.simulation(
        {
            "schema": 1,
            "rows": [
                figures.local_row(1, duty_years=[1406, 1406], rate="0.5/1000"),
                {**figures.DISCOUNT, "as_of_from_jalali": "1405-09-01"},
            ],
        }
    )
    totals = told["cities"][0]["totals"]
    assert int(totals["winners"]) > 0, "the amnesty makes many pay less"
    assert _digits(page.locator("#sum-before").inner_text()) == totals["before_rial"]
    assert _digits(page.locator("#winners").inner_text()) == str(totals["winners"])
    page.locator("#approve").click()
    page.keyboard.press("Escape")
    assert stub.calls(f"POST /v1/tariffs/{figures.SIMULATED_ID}/approvals") == []
    page.locator("#approve").click()
    page.locator("#confirm").dblclick()
    expect(page.locator("#tariff-status")).to_have_text("برقرار")
    assert len(stub.calls(f"POST /v1/tariffs/{figures.SIMULATED_ID}/approvals")) == 1


def test_file_is_sent_with_progress_previewed_and_committed_after_a_question(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-roll").click()
    upload = {"url": f"{stub.origin}/v1/uploads/1", "method": "PUT"}
    stub.answers["POST /v1/rolls"] = (201, {**figures.a_roll(status="awaiting_upload"), "upload": upload})
    stub.answers["PUT /v1/uploads/1"] = (500, {})
    waiting = iter(("awaiting_upload", "checking", "checking"))
    stub.answers[f"GET /v1/rolls/{figures.ROLL_ID}"] = lambda _: (
        200,
        figures.a_roll(status=next(waiting, "previewed")),
    )
    page.locator("#roll-file").set_input_files({"name": "خالی.csv", "mimeType": "text/csv", "buffer": b""})
    expect(page.locator("#send-roll")).to_be_disabled()
    page.locator("#roll-file").set_input_files(
        {"name": "roll.csv", "mimeType": "text/csv", "buffer": b"a,b\n" * 2000}
    )
    page.locator("#send-roll").click()
    expect(page.locator("#roll-form").get_by_role("alert")).to_contain_text("دوباره بفرستید")
    stub.answers["PUT /v1/uploads/1"] = (200, {})
    page.locator("#send-roll").dblclick()
    expect(page.locator("#count-added")).to_have_text("۱٬۲۰۴", timeout=15_000)
    assert len(stub.calls("POST /v1/rolls")) == 1, "the file that was sent again is the same roll's"
    expect(page.locator('tr[data-code="plate_malformed"]')).to_contain_text("پلاک نادرست")
    expect(page.locator("#refused-file")).to_have_attribute("href", "/v1/refused.csv")
    shoot(page, "city-roll-preview")
    page.locator("#commit").click()
    page.locator("#confirm").click()
    expect(page.locator("#roll-status")).to_have_text("ثبت‌شده")
    sent = [headers for method, target, headers, _ in stub.seen if target == "/v1/uploads/1"]
    assert all("authorization" not in headers for headers in sent)
    open_view(page, f"#/roll/{figures.COMMITTED_ID}")
    page.locator("#take-back").click()
    page.locator("#confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("roll_in_use")
    expect(page.locator(".row").last).to_contain_text("۱۴۰۴")
