"""What a city sets up, and changes that take two people, against set answers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.city.answers import (
    HERE,
    NEW_ACCOUNT,
    PROPOSED,
    account,
    change,
    endpoint,
    load,
    onboarding,
)
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import problem
from tests.browser.office.steps import open_view
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
CHANGE = f"{HERE}/changes/{PROPOSED['change_id']}"
EMBLEM = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#085"/></svg>'
)


def answer_changes(stub: Stub, *changes: dict[str, Any]) -> None:
    stub.answers[f"GET {HERE}/changes"] = (200, {"municipality": "TEHRAN", "changes": list(changes)})


def test_iban_is_checked_as_it_is_typed_and_proposed_once(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET {HERE}/account"] = (200, account(None))
    open_view(page, "#/onboarding/account")
    page.locator("#iban").press_sequentially("IR۰۶ ۲۹۶۰ 0000")
    expect(page.locator("#iban-says")).to_have_text("۱۰ رقم از ۲۴")
    page.locator("#iban").press_sequentially("0010 0324 2000 02")
    expect(page.locator("#iban-says")).to_contain_text("کنترلی درست نیست")
    page.locator("#iban").press("Backspace")
    page.locator("#iban").press("1")
    expect(page.locator("#iban-says")).to_have_text("شبا درست است.")
    page.locator("#holder").fill("شهرداری تهران")
    page.locator("#language").click()
    expect(page.locator("#holder")).to_have_value("شهرداری تهران")
    expect(page.locator("#iban-says")).to_contain_text("check digits hold")
    page.locator("#language").click()
    page.locator("#propose-account-send").click()
    expect(page.get_by_role("alert")).to_contain_text("علت")
    expect(page.locator("#account-reason")).to_be_focused()
    page.locator("#account-reason").fill("بانک تازه")
    shoot(page, "city-account-form")

    def proposed(body: dict[str, Any]) -> Any:
        stub.answers[f"GET {HERE}/account"] = (200, account(PROPOSED))
        return 201, PROPOSED

    stub.answers[f"PUT {HERE}/account"] = proposed
    page.locator("#propose-account-send").dblclick()
    expect(page.locator("[data-change]")).to_contain_text(NEW_ACCOUNT["iban"])
    (sent,) = stub.calls(f"PUT {HERE}/account")
    assert sent == {**NEW_ACCOUNT, "reason": "بانک تازه"}


def test_second_person_approves_after_a_question_and_whoever_proposed_it_cannot(stub: Stub, page: Page) -> None:
    begin(page, stub)
    mine = change(5, "webhook_url", {"url": "https://new.example/hook"}, ("proposed", "tehran", -5))
    answer_changes(stub, PROPOSED, mine)

    def approved(body: dict[str, Any]) -> Any:
        steps = (("proposed", "tehran2", -50), ("approved", "tehran", 0))
        after = change(1, "account", NEW_ACCOUNT, *steps)
        answer_changes(stub, after, mine)
        return 200, after

    stub.answers[f"POST {CHANGE}/approvals"] = approved
    page.locator("#nav-onboarding").click()
    expect(page.locator("[data-approve]")).to_have_count(1)
    expect(page.locator("li.step a")).to_have_count(7)
    expect(page.locator(f'[data-change="{mine["change_id"]}"]')).to_contain_text("مأمور دیگری باید تأیید کند")
    page.locator("[data-approve]").click()
    expect(page.locator("#decline")).to_be_focused()
    page.keyboard.press("Escape")
    assert stub.calls(f"POST {CHANGE}/approvals") == []
    page.locator("[data-approve]").click()
    expect(page.locator("dialog")).to_contain_text(NEW_ACCOUNT["iban"])
    shoot(page, "city-approve")
    page.locator("#confirm").click()
    card = page.locator(f'[data-change="{PROPOSED["change_id"]}"]')
    expect(card).to_contain_text("در دورهٔ انتظار")
    expect(card).to_contain_text("۳ روز دیگر")
    expect(card.locator("li").last).to_contain_text("tehran")
    assert len(stub.calls(f"POST {CHANGE}/approvals")) == 1


def test_an_approval_whose_answer_is_lost_is_sent_again_under_its_key(stub: Stub, page: Page) -> None:
    begin(page, stub)
    after = change(1, "account", NEW_ACCOUNT, ("proposed", "tehran2", -50), ("approved", "tehran", 0))
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.headers["idempotency-key"])
        route.fetch()
        answer_changes(stub, after)
        stub.answers[f"POST {CHANGE}/approvals"] = problem(409, "change_conflict")
        route.abort()

    stub.answers[f"POST {CHANGE}/approvals"] = (200, after)
    page.route("**/approvals", lose_the_first_answer)
    open_view(page, "#/onboarding")
    page.locator("[data-approve]").click()
    page.locator("#confirm").click()
    expect(page.locator(f'[data-change="{PROPOSED["change_id"]}"]')).to_contain_text("در دورهٔ انتظار")
    keys = [headers["idempotency-key"] for _, path, headers, _ in stub.seen if path.endswith("/approvals")]
    assert keys == [lost[0], lost[0]]


def test_any_officer_calls_a_change_off_with_a_reason(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, "#/onboarding")
    card = page.locator(f'[data-change="{PROPOSED["change_id"]}"]')
    card.locator("summary").click()
    card.locator("button", has_text="لغو کن").click()
    expect(card.get_by_role("alert")).to_be_visible()
    stub.answers[f"POST {CHANGE}/cancellations"] = problem(409, "change_conflict")
    card.locator("input").fill("پشیمان شدیم")
    page.keyboard.press("Enter")
    expect(card.get_by_role("alert")).to_contain_text("change_conflict")
    expect(card.locator("input")).to_have_value("پشیمان شدیم")
    answer_changes(stub)
    stub.answers[f"POST {CHANGE}/cancellations"] = (200, PROPOSED)
    card.locator("button", has_text="لغو کن").click()
    expect(page.locator("#open-changes")).to_contain_text("تغییری باز نیست")
    assert stub.calls(f"POST {CHANGE}/cancellations")[-1] == {"reason": "پشیمان شدیم"}


def test_address_is_registered_with_its_secret_and_challenged_again(stub: Stub, page: Page) -> None:
    begin(page, stub)
    answer_changes(stub)
    stub.answers[f"GET {HERE}/webhook"] = problem(404, "webhook_not_found")
    open_view(page, "#/onboarding/events")
    waiting = endpoint(url=None, candidate_url="https://events.tehran.example/hook", status="awaiting_challenge")
    attempt = {"status": None, "failure": "not_connected", "elapsed_ms": 31, "answer": ""}

    def registered(body: dict[str, Any]) -> Any:
        stub.answers[f"GET {HERE}/webhook"] = (200, waiting)
        return 201, {**waiting, "challenge_passed": False, "challenge": attempt, "secret": "whsec_dGVzdA=="}

    stub.answers[f"PUT {HERE}/webhook"] = registered
    page.locator("#url").fill("https://events.tehran.example/hook")
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).to_have_value("whsec_dGVzdA==")
    expect(page.locator("#address-news")).to_contain_text("ارتباط برقرار نشد")
    shoot(page, "city-address")
    good = {**waiting, "challenge_passed": True, "challenge": {**attempt, "status": 200, "failure": None}}
    stub.answers[f"POST {HERE}/webhook/challenges"] = (200, good)
    stub.answers[f"GET {HERE}/webhook"] = (200, endpoint())
    page.locator("#challenge").click()
    expect(page.locator("#address-news")).to_contain_text("نشانی به پیام آزمون پاسخ داد")
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.locator("#endpoint-state")).to_have_text("فعال")


def test_officer_is_invited_with_a_code_and_another_one_removed(stub: Stub, page: Page) -> None:
    begin(page, stub)
    answer_changes(stub)
    open_view(page, "#/onboarding/officers")
    expect(page.locator("[data-remove]")).to_have_count(1)
    value = {"action": "invite", "username": "tehran.karimi", "name": "مریم کریمی", "role": "officer"}
    invited = change(7, "officer", value, ("proposed", "tehran", 0))
    stub.answers[f"POST {HERE}/officers"] = (201, {**invited, "code": "a-code-of-the-invitation"})
    page.locator("#officer-name").fill("مریم کریمی")
    page.locator("#officer-username").fill("tehran.karimi")
    page.locator("#officer-reason").fill("همکار تازه")
    answer_changes(stub, invited)
    page.keyboard.press("Enter")
    expect(page.locator("#invite-code")).to_have_value("a-code-of-the-invitation")
    expect(page.locator("#invite-link")).to_have_text(f"{stub.origin}/city#/join/{invited['change_id']}")
    expect(page.locator(f'[data-change="{invited["change_id"]}"]')).to_contain_text("tehran.karimi")
    shoot(page, "city-officers")
    (sent,) = stub.calls(f"POST {HERE}/officers")
    assert sent == {
        "name": "مریم کریمی",
        "username": "tehran.karimi",
        "role": "officer",
        "reason": "همکار تازه",
    }
    page.locator("[data-remove] summary").click()
    page.locator("[data-remove] input").fill("بازنشسته شد")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("رضا کریمی")
    told = onboarding()
    stub.answers[f"GET {HERE}/onboarding"] = (200, {**told, "officers": told["officers"][:1]})
    stub.answers[f"POST {HERE}/officers/tehran2/removals"] = (200, told["officers"][1])
    page.locator("#confirm").click()
    expect(page.locator("#officer-news")).to_contain_text("کنار گذاشته شد")
    expect(page.locator("tr[data-officer]")).to_have_count(1)


def test_emblem_is_seen_before_it_is_set_and_a_refusal_keeps_it(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, "#/onboarding/emblem")
    page.locator("#emblem-send").click()
    expect(page.get_by_role("alert")).to_contain_text("SVG")
    page.locator("#emblem-file").set_input_files(
        {"name": "emblem.svg", "mimeType": "image/svg+xml", "buffer": EMBLEM.encode()}
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#emblem-preview img")).to_have_count(2)
    assert page.locator("#emblem-preview img").first.evaluate(
        "(image) => image.decode().then(() => image.naturalWidth > 0)"
    )
    shoot(page, "city-emblem")
    stub.answers[f"PUT {HERE}/profile"] = problem(422, "emblem_refused")
    page.locator("#emblem-send").click()
    expect(page.get_by_role("alert")).to_contain_text("emblem_refused")
    expect(page.locator("#emblem-svg")).to_have_value(EMBLEM)
    stub.answers[f"PUT {HERE}/profile"] = (200, {"municipality": "TEHRAN", "emblem": True, "contact": None})
    page.locator("#emblem-send").click()
    expect(page.locator("#profile-news")).to_contain_text("نشان ثبت شد")
    assert stub.calls(f"PUT {HERE}/profile")[-1] == {"emblem_svg": EMBLEM}


def test_contact_is_changed_and_digits_are_sent_in_ascii(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, "#/onboarding/contact")
    expect(page.locator("#contact-name")).to_have_value("زهرا احمدی")
    stub.answers[f"PUT {HERE}/profile"] = (200, {"municipality": "TEHRAN", "emblem": True, "contact": None})
    page.locator("#contact-email").fill("not an address")
    page.locator("#contact-phone").fill("۰۲۱-۸۸۰۰ ۱۱۲۳")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("رایانامه")
    page.locator("#contact-email").fill("daramad@tehran.example")
    page.keyboard.press("Enter")
    expect(page.locator("#profile-news")).to_contain_text("ثبت شد")
    (sent,) = stub.calls(f"PUT {HERE}/profile")
    assert sent["contact"]["phone"] == "02188001123"


def test_invited_officer_makes_her_account_and_is_signed_in(stub: Stub, page: Page) -> None:
    load(stub)
    stub.answers["POST /v1/officer-activations"] = problem(401, "activation_refused")
    page.goto(f"{stub.origin}/city#/join/ac_{'7' * 36}")
    page.locator("#join-municipality").fill("tehran")
    page.locator("#join-username").fill("Tehran")
    page.locator("#join-code").fill("a-code")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("همهٔ خانه‌ها")
    page.locator("#join-password").fill("right")
    page.locator("#join-send").click()
    expect(page.get_by_role("alert")).to_contain_text("activation_refused")
    stub.answers["POST /v1/officer-activations"] = (201, {"username": "tehran", "role": "officer"})
    page.locator("#join-send").click()
    expect(page.locator("#collected")).to_be_visible()
    assert stub.calls("POST /v1/officer-activations")[-1] == {
        "municipality": "TEHRAN",
        "change_id": "ac_" + "7" * 36,
        "username": "tehran",
        "code": "a-code",
        "password": "right",
    }
