"""The verifier's page in a real browser: every vector, every verdict, and what it keeps to itself."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from avarez.certificates import link
from avarez.certificates.status import SHARD_PLACES
from tests.browser.conftest import PHONE, document, shoot
from tests.browser.demo_answers import CITIES, in_minutes
from tests.browser.office.steps import NARROW, ZOOMED, nothing_cut
from tests.browser.stub import ROOT, Stub
from tests.data.certificate_vectors import JUDGED_AT, SAMPLE, STATUS_AT, STRANGER, status_list

pytestmark = pytest.mark.browser

VECTORS: dict[str, Any] = json.loads((ROOT / "tests/data/certificate_vectors.json").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = next(vector for vector in VECTORS["vectors"] if vector["name"] == "good_link")
DIGITS: str = GOOD["input"].partition("#")[2]
PAYLOAD: dict[str, Any] = GOOD["payload"]
NUMBER: str = PAYLOAD["certificate_id"]
MASKED = {"key": "12*345-**", "text_fa": "۱۲ * ۳۴۵ - ایران **", "text_en": "12 * 345 - Iran **", "kind": "private"}


def record(**changes: Any) -> dict[str, Any]:
    """The certificate as GET /v1/verify shows it: as signed, the plate masked."""
    names = ("certificate_id", "kind", "municipality", "years", "amount_rial", "paid_on", "issued_at")
    return {**{name: PAYLOAD[name] for name in names}, "plate": MASKED, **changes}


STOLEN: dict[str, dict[str, Any]] = {vector["name"]: vector for vector in VECTORS["compromise"]}
LOG_PATH = "/.well-known/avarez/log"


def fragment(vector: dict[str, Any]) -> str:
    """What stands behind `#` of this vector's link."""
    return str(vector["input"].rpartition("#")[2])


def proof_file(vector: dict[str, Any]) -> FilePayload:
    """The vector's proof as a file that somebody chooses."""
    return {"name": "its.tlog-proof", "mimeType": "", "buffer": vector["proof"].encode()}


def log_says(stub: Stub, vector: dict[str, Any], answer: tuple[int, Any]) -> None:
    """The log's answers: its key, and this one about the vector's message."""
    entry = hashlib.sha256(link.read(vector["input"]).message).hexdigest()
    stub.answers[f"GET {LOG_PATH}/key"] = (200, VECTORS["log_key"].encode() + b"\n")
    stub.answers[f"GET {LOG_PATH}/proof/{entry}"] = answer


def says(verdict: str, reason: str = "", as_of_minutes: float = 0, **changes: Any) -> tuple[int, dict[str, Any]]:
    certificate = None if verdict == "unknown" else record(**changes)
    return 200, {
        "verdict": verdict,
        "reason": reason or verdict,
        "certificate": certificate,
        "status_as_of": in_minutes(as_of_minutes),
    }


@pytest.fixture(autouse=True)
def keys(stub: Stub) -> None:
    stub.answers["GET /.well-known/jwks.json"] = (200, VECTORS["jwks"])
    stub.answers["GET /v1/municipalities"] = (200, {"municipalities": CITIES})
    stub.answers[f"GET /v1/verify/{NUMBER}"] = says("valid", "in_force")


def verdict_of(page: Page, url: str) -> tuple[str | None, str | None]:
    """Verdict and reason once the page has made up its mind."""
    page.goto("about:blank")
    page.goto(url)
    box = page.locator("#verdict")
    expect(box).not_to_have_attribute("data-verdict", "checking")
    return box.get_attribute("data-verdict"), box.get_attribute("data-reason")


def test_every_vector_gets_the_verdict_of_the_python_code(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    found = page.evaluate(
        """async ({jwks, inputs}) => {
            const { readKeys } = await import("/verify/keys.js");
            const { checkText } = await import("/verify/verification.js");
            const keys = await readKeys(jwks);
            return Promise.all(inputs.map((input) => checkText(input, keys)));
        }""",
        {"jwks": VECTORS["jwks"], "inputs": [vector["input"] for vector in VECTORS["vectors"]]},
    )
    assert len(found) == len(VECTORS["vectors"]) > 30
    for vector, outcome in zip(VECTORS["vectors"], found, strict=True):
        assert [outcome["verdict"], outcome["reason"], outcome["obligation"], outcome.get("payload")] == [
            vector["verdict"],
            vector["reason"],
            vector["obligation"],
            vector.get("payload"),
        ], vector["name"]


def test_every_vector_of_a_stolen_key_gets_the_verdict_of_the_python_code(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    found = page.evaluate(
        """async ({jwks, key, vectors}) => {
            const { readKeys } = await import("/verify/keys.js");
            const { isBefore, loggedAt, readLogKey } = await import("/verify/log.js");
            const { checkText } = await import("/verify/verification.js");
            const register = { before: true, later: null, absent: false, silent: null };
            const [keys, log, found] = [await readKeys(jwks), await readLogKey(key), []];
            for (const { input, proof, register: word } of vectors) {
                const loggedBefore = (message, instant) => word ? register[word]
                    : loggedAt(message, proof, log).then((at) => isBefore(at, instant) || null, () => null);
                found.push(await checkText(input, keys, loggedBefore));
            }
            return found;
        }""",
        {"jwks": VECTORS["jwks"], "key": VECTORS["log_key"], "vectors": VECTORS["compromise"]},
    )
    for vector, outcome in zip(VECTORS["compromise"], found, strict=True):
        expected = [vector["verdict"], vector["reason"], vector["obligation"]]
        assert [outcome["verdict"], outcome["reason"], outcome["obligation"]] == expected, vector["name"]


def test_every_vector_of_a_status_list_gets_the_verdict_of_the_python_code(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    found = page.evaluate(
        """async ({jwks, vectors}) => {
            const { readKeys } = await import("/verify/keys.js");
            const { withLists } = await import("/verify/status.js");
            const { checkText } = await import("/verify/verification.js");
            const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
            const [keys, found] = [await readKeys(jwks), []];
            for (const { input, lists, now } of vectors) {
                found.push(await withLists(await checkText(input, keys), lists.map(bytes), keys, Date.parse(now)));
            }
            return found;
        }""",
        {"jwks": VECTORS["jwks"], "vectors": VECTORS["listed"]},
    )
    for vector, outcome in zip(VECTORS["listed"], found, strict=True):
        expected = [vector["verdict"], vector["reason"], vector["obligation"], vector["status_as_of"]]
        told = [outcome["verdict"], outcome["reason"], outcome["obligation"], outcome.get("statusAsOf")]
        assert told == expected, vector["name"]


def test_digits_decode_to_the_same_bytes(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    found = page.evaluate(
        """async (texts) => {
            const { fromDigits } = await import("/verify/link.js");
            const hex = (byte) => byte.toString(16).padStart(2, "0");
            return texts.map((text) => [...fromDigits(text)].map(hex).join(""));
        }""",
        [entry["digits"] for entry in VECTORS["digits"]],
    )
    assert found == [entry["hex"] for entry in VECTORS["digits"]]


def test_good_link_is_valid_and_shows_the_plate_in_full(stub: Stub, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("valid", "in_force")
    expect(page.locator("#verdict h2")).to_contain_text("معتبر است")
    expect(page.locator("#verdict h2")).to_contain_text("VALID")
    expect(page.locator(".plate")).to_contain_text("۳۴۵")
    expect(page.locator(".compare")).to_contain_text("۱۲ ب ۳۴۵ ایران ۶۷")
    expect(page.locator(".compare")).to_contain_text("or have carried it while it was of this city")
    expect(page.locator(".facts")).to_contain_text("۹۸٬۷۶۵٬۰۰۰ ریال")
    expect(page.locator(".facts")).to_contain_text("1398–1401, 1403–1404")
    expect(page.locator(".facts")).to_contain_text("۳ آذر ۱۴۰۵")
    expect(page.locator(".facts")).to_contain_text("تهران")
    shoot(page, "verify-valid-phone")
    document(page.screenshot(), "verify-valid-fa")
    for size in (NARROW, ZOOMED):
        nothing_cut(page, "verify-valid", size)
    context.close()


def test_fragment_never_reaches_a_server(stub: Stub, page: Page) -> None:
    verdict_of(page, f"{stub.origin}/v#{DIGITS}")
    page.wait_for_load_state("networkidle")
    assert any(path == f"/v1/verify/{NUMBER}" for _, path, _, _ in stub.seen)
    for _, path, headers, body in stub.seen:
        everything = json.dumps([path, headers, body])
        assert DIGITS[:17] not in everything
        assert PAYLOAD["plate"] not in everything
        assert "authorization" not in headers


@pytest.mark.parametrize("verdict", ["revoked", "superseded", "unknown", "tampered", "cannot_tell"])
def test_servers_word_overrules_a_good_signature(stub: Stub, page: Page, verdict: str) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = says(verdict)
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}")[0] == verdict
    shoot(page, f"verify-{verdict}")


@pytest.mark.parametrize(
    "name",
    [
        "plate_swapped",
        "payload_bit_flipped",
        "kid_of_another_key",
        "unknown_key",
        "trailing_byte",
        "compromised_key",
    ],
)
def test_bad_message_is_never_valid_whatever_the_server_says(stub: Stub, page: Page, name: str) -> None:
    vector = next(entry for entry in VECTORS["vectors"] if entry["name"] == name)
    found = verdict_of(page, f"{stub.origin}/v#{vector['input'].partition('#')[2]}")
    assert found == (vector["verdict"], vector["reason"])
    assert not [path for _, path, _, _ in stub.seen if path.startswith("/v1/verify/")], "nothing to ask about"


@pytest.mark.parametrize("answer", [(503, {}), (200, {}), (200, {"verdict": "fine"}), (200, [])])
def test_no_usable_status_says_signature_good_not_valid(stub: Stub, page: Page, answer: tuple[int, Any]) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = answer
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}")[0] == "signature_good"
    expect(page.locator("#verdict h2")).to_contain_text("status not checked")
    shoot(page, "verify-status-not-checked")


def test_old_status_cannot_tell(stub: Stub, page: Page) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = says("valid", "in_force", as_of_minutes=-27 * 60)
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("cannot_tell", "status_too_old")


def test_record_that_says_something_else_is_tampered(stub: Stub, page: Page) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = says("valid", "in_force", amount_rial="1000")
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("tampered", "message_differs")


@pytest.mark.parametrize(
    "answer",
    [(503, {}), (200, {"keys": []}), (200, {"keys": [{**VECTORS["jwks"]["keys"][0], "kid": "AAAAAAAAAAA"}]})],
)
def test_without_keys_cannot_tell(stub: Stub, page: Page, answer: tuple[int, Any]) -> None:
    stub.answers["GET /.well-known/jwks.json"] = answer
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("cannot_tell", "keys_missing")


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("logged_in_time", "its proof", ("valid", "in_force")),
        ("logged_later", "its proof", ("cannot_tell", "key_compromised")),
        ("forged_with_the_proof_of_another", "its proof", ("cannot_tell", "key_compromised")),
        (
            "register_absent_forged",
            (404, {"code": "log_entry_not_found"}),
            ("tampered", "not_logged_before_compromise"),
        ),
        ("register_absent_forged", (404, {}), ("cannot_tell", "key_compromised")),
        ("register_silent", (503, {}), ("cannot_tell", "key_compromised")),
    ],
)
def test_certificate_of_a_stolen_key_stands_by_the_log(
    stub: Stub, page: Page, name: str, answer: Any, expected: tuple[str, str]
) -> None:
    vector = STOLEN[name]
    log_says(stub, vector, (200, vector["proof"].encode()) if answer == "its proof" else answer)
    assert verdict_of(page, f"{stub.origin}/v#{fragment(vector)}") == expected
    shoot(page, f"verify-stolen-{name}-{expected[0]}")


def test_dropped_proof_file_saves_a_certificate_without_a_network(
    stub: Stub, context: BrowserContext, page: Page
) -> None:
    vector = STOLEN["logged_in_time"]
    log_says(stub, vector, (503, {}))
    assert verdict_of(page, f"{stub.origin}/v#{fragment(vector)}") == ("cannot_tell", "key_compromised")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.state)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    assert verdict_of(page, f"{stub.origin}/v#{fragment(vector)}") == ("cannot_tell", "key_compromised")
    context.set_offline(True)
    page.locator("#file").set_input_files(proof_file(vector))
    box = page.locator("#verdict")
    expect(box).to_have_attribute("data-reason", "signature_good_status_not_checked")
    page.locator("#file").set_input_files(proof_file(STOLEN["proof_moved"]))
    expect(box).to_have_attribute("data-reason", "key_compromised")


def test_number_alone_shows_a_masked_plate(stub: Stub, page: Page) -> None:
    assert verdict_of(page, f"{stub.origin}/v/{NUMBER}") == ("valid", "in_force")
    expect(page.locator(".plate")).to_contain_text("•")
    expect(page.locator(".compare")).to_contain_text("hidden")
    shoot(page, "verify-masked")


def test_number_without_network_cannot_tell(stub: Stub, page: Page) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = (503, {})
    assert verdict_of(page, f"{stub.origin}/v/{NUMBER}") == ("cannot_tell", "network")
    assert verdict_of(page, f"{stub.origin}/v/nonsense") == ("unreadable", "not_a_certificate")


def test_pasted_link_of_another_site_is_checked_and_named(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    page.get_by_label("پیوند رمزینه").fill(GOOD["input"])
    page.get_by_role("button", name="بررسی Check", exact=True).click()
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "valid")
    expect(page.locator(".alarm")).to_contain_text("avarez.example")
    assert page.url == f"{stub.origin}/v", "what was pasted stays out of the address"


def test_without_a_network_the_page_still_checks_the_signature(
    stub: Stub, context: BrowserContext, page: Page
) -> None:
    verdict_of(page, f"{stub.origin}/v#{DIGITS}")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.state)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("signature_good", "signature_good_status_not_checked")
    swapped = next(entry for entry in VECTORS["vectors"] if entry["name"] == "plate_swapped")
    assert verdict_of(page, f"{stub.origin}/v#{swapped['input'].partition('#')[2]}")[0] == "tampered"
    context.set_offline(False)
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("valid", "in_force")


def whole_list(value: int, age: timedelta) -> tuple[int, bytes]:
    """The list of the whole fleet, that old by the real clock, and what it says of SAMPLE."""
    places: dict[str, Any] = {"subject": STATUS_AT, "places": 32 * SHARD_PLACES, "at": SAMPLE.status_index}
    return 200, status_list(value, JUDGED_AT - (datetime.now(UTC) - age), **places)


@pytest.mark.parametrize(
    ("value", "age", "expected"),
    [
        (0, timedelta(minutes=5), ("valid", "in_force")),
        (1, timedelta(minutes=5), ("revoked", "revoked")),
        (3, timedelta(days=3), ("superseded", "superseded")),
        (0, timedelta(hours=27), ("cannot_tell", "status_too_old")),
    ],
    ids=["in force", "revoked", "superseded long ago", "too old"],
)
def test_without_a_network_the_kept_list_decides_on_certificates_never_seen(
    stub: Stub, context: BrowserContext, page: Page, value: int, age: timedelta, expected: tuple[str, str]
) -> None:
    stub.answers["GET /.well-known/avarez/status"] = whole_list(value, age)
    page.goto(f"{stub.origin}/v")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.state)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    stub.seen.clear()
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == expected
    expect(page.locator("#freshness")).to_contain_text("Status list as of")
    expect(page.locator("#freshness")).to_contain_text("Keys as of")
    if expected[0] == "cannot_tell":
        expect(page.locator("#verdict .since")).to_contain_text("since ")
    else:
        expect(page.locator(".facts")).to_contain_text("Status as of")
    assert stub.seen == [], "the network was gone"
    shoot(page, f"verify-offline-{expected[1]}")


def test_list_that_nobody_of_us_signed_decides_nothing(stub: Stub, page: Page) -> None:
    stub.answers[f"GET /v1/verify/{NUMBER}"] = (503, {})
    stub.answers["GET /.well-known/avarez/status"] = (200, status_list(0, key=STRANGER))
    assert verdict_of(page, f"{stub.origin}/v#{DIGITS}") == ("cannot_tell", "status_list_refused")
    expect(page.locator("#freshness")).not_to_contain_text("Status list")


def test_words_exist_for_every_reason_of_the_python_code(stub: Stub, page: Page) -> None:
    page.goto(f"{stub.origin}/v")
    words = page.evaluate("import('/verify/words.js').then(({REASONS, VERDICTS}) => ({...REASONS, ...VERDICTS}))")
    source = (ROOT / "layers/common/avarez/certificates/verification.py").read_text(encoding="utf-8")
    codes = re.findall(
        r'^    [A-Z_]+ = "([a-z_]+)"$', source.partition("class CertificateStatus")[0], re.MULTILINE
    )
    assert len(codes) > 20
    assert set(codes) <= set(words)
