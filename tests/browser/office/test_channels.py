"""Every way of paying on the office page, against set answers: what is sent, what is shown, and the way on."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.demo_answers import ASSESSMENT_ID, PAYMENT_ID, PLATE, assessment, in_minutes, load, problem
from tests.browser.office.steps import choose_channel, open_view, sign_in, to_quote, type_plate
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
AGREEMENT_ID = "ag_" + "0" * 36
PDF = b"%PDF-1.4\n%%EOF\n"
READ = f"GET /v1/payments/{PAYMENT_ID}"


@pytest.fixture(autouse=True)
def answers(stub: Stub) -> None:
    load(stub)


def payment(channel: str, status: str = "pending", **members: Any) -> dict[str, Any]:
    return {
        "payment_id": PAYMENT_ID,
        "assessment_id": ASSESSMENT_ID,
        "status": status,
        "channel": channel,
        "municipality": "TEHRAN",
        "plate": PLATE,
        "amount_rial": "18692000",
        "fee_rial": "0",
        "expires_at": in_minutes(60 * 24 * 9),
        **members,
    }


def bill() -> dict[str, Any]:
    return payment("bill", bill_id="1117753200140", payment_code="18692411", barcode="1" * 26)


def sale(**members: Any) -> dict[str, Any]:
    return payment("pos", terminal="T-101", **members)


def agreement(status: str) -> dict[str, Any]:
    parts = [
        {"number": 1, "amount_rial": "6232000", "due_jalali": "1405-09-06", "last_day_jalali": "1405-09-16"},
        {"number": 2, "amount_rial": "6230000", "due_jalali": "1405-10-06", "last_day_jalali": "1405-10-16"},
        {"number": 3, "amount_rial": "6230000", "due_jalali": "1405-11-06", "last_day_jalali": "1405-11-16"},
    ]
    return {
        "agreement_id": AGREEMENT_ID,
        "assessment_id": ASSESSMENT_ID,
        "status": status,
        "municipality": "TEHRAN",
        "plate": PLATE,
        "years": [{"year": year, "amount_rial": "3738400"} for year in range(1401, 1406)],
        "total_rial": "18692000",
        "paid_rial": "0",
        "parts": [{**part, "paid": False} for part in parts],
    }


def test_bill_is_made_with_its_ids_and_its_slip(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/payments"] = (201, bill())
    stub.answers[READ] = (200, bill())
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}/slip.pdf"] = (200, PDF)
    to_quote(page, stub)
    choose_channel(page, "bill")
    page.locator("#pay").click()
    expect(page.locator("#bill-id")).to_have_text("۱۱۱۷۷۵۳۲۰۰۱۴۰")
    expect(page.locator("#payment-code")).to_have_text("۱۸۶۹۲۴۱۱")
    expect(page.locator("#print")).to_be_focused()
    assert stub.calls("POST /v1/payments") == [{"assessment_id": ASSESSMENT_ID, "channel": "bill"}]
    with page.context.expect_page() as opened:
        page.locator("#open-pdf").click()
    opened.value.close()
    assert len(stub.calls(f"GET /v1/payments/{PAYMENT_ID}/slip.pdf")) == 1, "one file, whoever asks for it"
    asked = len(stub.calls(READ))
    page.wait_for_timeout(700)
    assert len(stub.calls(READ)) == asked, "nothing is asked while a bank has the bill"
    shoot(page, "office-bill")


def test_open_bill_is_given_up_only_when_told_so(stub: Stub, page: Page) -> None:
    made: Any = stub.answers["POST /v1/payments"]
    stub.answers["POST /v1/payments"] = lambda body: (
        made if body.get("supersede_bill") else problem(409, "bill_open", payment_id=PAYMENT_ID)
    )
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.locator("#bill-open")).to_contain_text("قبضی برای این خودرو باز است")
    shoot(page, "office-bill-open")
    page.get_by_role("button", name="باطل کردن قبض و پرداخت").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert [body.get("supersede_bill", False) for body in stub.calls("POST /v1/payments")] == [False, True]
    keys = [entry[2]["idempotency-key"] for entry in stub.seen if entry[:2] == ("POST", "/v1/payments")]
    assert len(set(keys)) == 2, "another wish, another key"


def test_sale_tells_the_terminal_and_takes_the_slip(stub: Stub, page: Page) -> None:
    chosen = threading.Event()

    def late(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        chosen.wait(5)
        return 200, {"terminals": [{"terminal_id": "T-101", "acquirer": "saman"}]}

    stub.answers["GET /v1/terminals"] = late
    stub.answers["POST /v1/payments"] = (201, sale(pos={"terminal": "T-101", "order_id": PAYMENT_ID}))
    stub.answers[READ] = (200, sale())

    def typed(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        stub.answers[READ] = (200, sale(status="verifying", typed_by="clerk"))
        return 200, sale(status="verifying", typed_by="clerk")

    stub.answers[f"POST /v1/payments/{PAYMENT_ID}/pos-results"] = typed
    to_quote(page, stub)
    choose_channel(page, "pos")
    expect(page.locator("#terminal")).to_have_value("")
    chosen.set()  # on a slow line the list comes after the choice
    expect(page.locator("#terminal")).to_have_value("T-101")
    page.locator("#pay").click()
    expect(page.locator("#terminal-amount")).to_have_text("۱۸٬۶۹۲٬۰۰۰")
    assert page.locator("#slip-amount").input_value() == "", "the amount comes from the slip, not from us"
    shoot(page, "office-sale")
    page.locator("#slip-reference").fill("۷۰۰۰۰۰۰۰۰۰۰۱")
    page.locator("#slip-amount").fill("18,692,000")
    page.locator("#slip-card").fill("603799******1234")
    page.locator("#enter-slip").click()
    expect(page.locator("h1")).to_contain_text("منتظر نفر دوم")
    assert stub.calls(f"POST /v1/payments/{PAYMENT_ID}/pos-results") == [
        {
            "result": "approved",
            "entered": "by_hand",
            "reference": "700000000001",
            "amount_rial": "18692000",
            "masked_card": "603799******1234",
        }
    ]
    shoot(page, "office-sale-second")


def test_second_person_confirms_and_the_certificate_comes(stub: Stub, page: Page) -> None:
    settled = stub.answers[READ]
    stub.answers[READ] = (200, sale(status="verifying", typed_by="sara"))

    def confirmed(body: dict[str, Any]) -> Any:
        stub.answers[READ] = settled
        return settled

    stub.answers[f"POST /v1/payments/{PAYMENT_ID}/pos-confirmations"] = confirmed
    to_quote(page, stub)
    open_view(page, f"#/payment/{PAYMENT_ID}")
    page.locator("#slip-reference").fill("700000000001")
    page.locator("#slip-amount").fill("18692000")
    page.keyboard.press("Enter")
    expect(page.locator("#certificate-id")).to_be_visible()
    sent = {"reference": "700000000001", "amount_rial": "18692000"}
    assert stub.calls(f"POST /v1/payments/{PAYMENT_ID}/pos-confirmations") == [sent]


def test_sale_in_doubt_is_released_by_two_people(stub: Stub, page: Page) -> None:
    stub.answers[READ] = (200, sale())

    def released(body: dict[str, Any]) -> Any:
        stub.answers[READ] = (200, sale(released_by="clerk"))
        return stub.answers[READ]

    stub.answers[f"POST /v1/payments/{PAYMENT_ID}/releases"] = released
    to_quote(page, stub)
    open_view(page, f"#/payment/{PAYMENT_ID}")
    page.get_by_text("نمی‌دانید پول کم شده یا نه؟").click()
    expect(page.locator(".advice li")).to_have_count(3)
    page.locator("#release").click()
    expect(page.locator("#release")).to_contain_text("نفر دوم")
    shoot(page, "office-sale-doubt")


def test_terminal_has_to_be_named(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    choose_channel(page, "pos")
    page.locator("#pay").click()
    expect(page.get_by_role("alert")).to_contain_text("شمارهٔ پایانه")
    expect(page.locator("#terminal")).to_be_focused()
    assert stub.calls("POST /v1/payments") == []


def test_chosen_letter_fits_its_place_in_english(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    page.locator("#language").click()
    page.locator("#plate-letter").select_option("GHAF")
    expect(page.locator("#plate-letter option:checked")).to_have_text("ق")
    page.locator("#plate-letter").select_option("TA")
    expect(page.locator('#plate-letter option[value="GHAF"]')).to_have_text("ق GHAF")


def test_fault_of_one_field_is_told_once(stub: Stub, page: Page) -> None:
    said = "این شماره درست نیست."
    fault = {"pointer": "/vin", "code": "identifier_malformed", "message": said}
    stub.answers["GET /v1/vehicles"] = problem(422, "invalid_input", detail=said, errors=[fault])
    sign_in(page, stub)
    page.locator('input[name="by"][value="vin"]').check(force=True)
    page.locator("#identifier").fill("x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("invalid_input")
    assert page.get_by_role("alert").inner_text().count(said) == 1


def test_city_that_knows_the_car_by_another_plate_says_so_before_anybody_pays(stub: Stub, page: Page) -> None:
    """A car that moved: its former city certifies its years under the plate that it knew."""
    former = {
        "key": "88Y845-11",
        "text_fa": "۸۸ ی ۸۴۵ - ایران ۱۱",
        "text_en": "88 Y 845 - Iran 11",
        "kind": "private",
    }
    sign_in(page, stub)
    stub.answers["POST /v1/assessments"] = lambda body: (
        201,
        assessment(municipality=body["municipality"])
        | ({"plate": former} if body["municipality"] == "TEHRAN" else {}),
    )
    type_plate(page)
    expect(page.locator("#other-plate")).to_contain_text(
        "تهران این خودرو را با پلاک \u2068۸۸ ی ۸۴۵ - ایران ۱۱\u2069 می‌شناسد"
    )
    shoot(page, "office-other-plate")
    page.locator('.city[data-municipality="ISFAHAN"]').click()
    expect(page.locator("#object")).to_be_visible()
    expect(page.locator("#other-plate")).to_have_count(0)


def test_years_are_chosen_oldest_first(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    page.locator("#through-year").select_option("1402")
    expect(page.locator("#pay")).to_be_focused()
    asked = stub.calls("POST /v1/assessments")[-1]
    assert asked == {"municipality": "TEHRAN", "plate": PLATE["key"], "through_year": 1402}
    page.locator("#through-year").select_option("1405")
    expect(page.locator("#pay")).to_be_focused()
    assert "through_year" not in stub.calls("POST /v1/assessments")[-1]


def test_instalments_are_asked_for_where_the_city_gives_them(stub: Stub, page: Page) -> None:
    quote = {**assessment(), "instalments": {"parts_max": 6, "every_months": 1}}
    stub.answers["POST /v1/assessments"] = (201, quote)
    stub.answers["POST /v1/instalment-agreements"] = (201, agreement("requested"))
    stub.answers[f"GET /v1/instalment-agreements/{AGREEMENT_ID}"] = (200, agreement("requested"))
    to_quote(page, stub)
    choose_channel(page, "instalments")
    page.locator("#parts").select_option("3")
    page.locator("#pay").click()
    expect(page.locator("#agreement-state")).to_contain_text("نفر دوم")
    assert stub.calls("POST /v1/instalment-agreements") == [{"assessment_id": ASSESSMENT_ID, "parts": 3}]
    stub.answers[f"GET /v1/instalment-agreements/{AGREEMENT_ID}"] = (200, agreement("in_force"))
    page.get_by_role("button", name="بررسی دوباره").click()
    expect(page.locator("#pay")).to_be_focused()
    shoot(page, "office-agreement")
    page.locator("#pay").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert stub.calls("POST /v1/payments")[0]["agreement_id"] == AGREEMENT_ID


def test_agreement_that_was_turned_down_says_why(stub: Stub, page: Page) -> None:
    reason = "بدهی دیگری دارد"
    told = {**agreement("rejected"), "rejected_by": "tehran2", "rejection_reason": reason}
    stub.answers[f"GET /v1/instalment-agreements/{AGREEMENT_ID}"] = (200, told)
    to_quote(page, stub)
    open_view(page, f"#/agreement/{AGREEMENT_ID}")
    expect(page.locator("#agreement-state")).to_contain_text("نپذیرفت")
    expect(page.locator("#agreement-reason")).to_have_text(f"علت: {reason}")
    expect(page.locator("#pay")).to_have_count(0)


def test_part_without_a_certificate_has_a_receipt(stub: Stub, page: Page) -> None:
    stub.answers[READ] = (200, payment("gateway", "settled", agreement_id=AGREEMENT_ID, instalment=1))
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}/receipt.pdf"] = (200, PDF)
    to_quote(page, stub)
    open_view(page, f"#/payment/{PAYMENT_ID}")
    expect(page.locator("h1")).to_contain_text("قسط پرداخت شد")
    expect(page.locator("#print")).to_contain_text("چاپ رسید")


def test_lost_paper_is_issued_again(stub: Stub, page: Page) -> None:
    record = next(value for key, value in stub.answers.items() if key.startswith("GET /v1/certificates/"))
    assert isinstance(record, tuple)
    other = "ce_" + "1" * 36
    first = record[1]["certificate_id"]
    stub.answers[f"POST /v1/certificates/{first}/reissues"] = (201, {"certificate_id": other})
    stub.answers[f"GET /v1/certificates/{other}"] = (200, {**record[1], "certificate_id": other})
    to_quote(page, stub)
    page.locator("#pay").click()
    page.get_by_text("برگه گم شده است؟").click()
    page.locator("#reissue-reason").select_option("stolen")
    page.locator("#reissue").click()
    expect(page.locator("#certificate-id")).to_have_text(other)
    assert stub.calls(f"POST /v1/certificates/{first}/reissues") == [{"reason": "stolen"}]


def test_nothing_owed_leads_to_a_clearance(stub: Stub, page: Page) -> None:
    clear = "ce_" + "2" * 36
    paid = {**assessment(), "owed_rial": "0", "lines": []}
    stub.answers["POST /v1/assessments"] = (201, paid)
    stub.answers["POST /v1/certificates"] = (201, {"certificate_id": clear, "kind": "clearance"})
    record = {
        "certificate_id": clear,
        "kind": "clearance",
        "status": "in_force",
        "municipality": "TEHRAN",
        "plate": PLATE,
        "years": [],
        "amount_rial": "0",
        "paid_through_year": 1405,
    }
    stub.answers[f"GET /v1/certificates/{clear}"] = (200, record)
    sign_in(page, stub)
    type_plate(page)
    page.locator("#clearance").click()
    expect(page.locator("h1")).to_contain_text("مفاصاحساب صادر شد")
    expect(page.locator(".paper")).to_contain_text("۱۴۰۵")
