"""The verifier as an app: a dropped file, a picture, the camera, a typed code; without a network too."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from avarez.certificates import jwks, link
from avarez.certificates.document import NoMessage, message_in_pdf
from avarez.certificates.verification import check_text
from avarez.plates import parse_plate
from tests.browser.conftest import CHROMIUM, DESKTOP, PHONE, shoot
from tests.browser.demo_answers import CITIES, in_minutes
from tests.browser.stub import ROOT, Stub
from tests.data.certificate_vectors import JWKS, fields_of
from tests.properties import forged_files
from tests.properties.forgeries import Forger
from tests.unit.certificates.test_document import pdf_of, record

pytestmark = pytest.mark.browser

PROVING = "AVAREZ_PROVE" in os.environ
SIGNED = record()
MESSAGE = SIGNED.message or b""
DIGITS = link.to_digits(MESSAGE)
FIELDS = fields_of(check_text(DIGITS, jwks.read_keys(JWKS)))
NUMBER = FIELDS["certificate_id"]
WYCHEPROOF = json.loads(
    (ROOT / "tests/data/published/wycheproof_ecdsa_p256_sha256_p1363.json").read_text(encoding="utf-8")
)["groups"]
DROP = """async ([name, type, content]) => {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return pdf_of(SIGNED)


@pytest.fixture
def shown(stub: Stub, pdf: bytes) -> Stub:
    """The stub as the register that issued this certificate."""
    answer = {
        "verdict": "valid",
        "reason": "in_force",
        "certificate": {**FIELDS, "plate": parse_plate(FIELDS["plate"]).masked().to_json()},
        "status_as_of": in_minutes(0),
        "file_sha256": hashlib.sha256(pdf).hexdigest(),
    }
    stub.answers["GET /.well-known/jwks.json"] = (200, JWKS)
    stub.answers["GET /v1/municipalities"] = (200, {"municipalities": CITIES})
    stub.answers[f"GET /v1/verify/{NUMBER}"] = (200, answer)
    return stub


def drop(page: Page, content: bytes, name: str = "certificate.pdf", kind: str = "application/pdf") -> None:
    page.evaluate(DROP, [name, kind, base64.b64encode(content).decode()])


def verdict(page: Page) -> tuple[str | None, str | None]:
    box = page.locator("#verdict")
    expect(box).to_have_attribute("data-verdict", re.compile("^(?!checking|idle)"))
    return box.get_attribute("data-verdict"), box.get_attribute("data-reason")


def page_picture(pdf: bytes, folder: Path, dpi: int) -> Path:
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-png", "-singlefile", folder / "page.pdf", folder / "page"], check=True
    )
    return folder / "page.png"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (b"", ("valid", "in_force")),
        (b"\n", ("tampered", "file_differs")),
    ],
    ids=["as issued", "changed"],
)
def test_dropped_pdf_is_checked(
    shown: Stub, page: Page, pdf: bytes, change: bytes, expected: tuple[str, str]
) -> None:
    page.goto(f"{shown.origin}/v")
    drop(page, pdf + change)
    assert verdict(page) == expected
    expect(page.locator(".compare")).to_contain_text("۱۲ ب ۳۴۵")
    assert not [body for method, _, _, body in shown.seen if method == "POST"], "the file stays here"


@pytest.mark.parametrize("content", [b"%PDF-1.7 nothing", b"no file at all", b""], ids=["PDF", "text", "empty"])
def test_dropped_file_without_a_certificate_is_unreadable(shown: Stub, page: Page, content: bytes) -> None:
    page.goto(f"{shown.origin}/v")
    drop(page, content)
    assert verdict(page) == ("unreadable", "no_message_in_file")


def test_picture_of_the_paper_is_checked(shown: Stub, page: Page, pdf: bytes, tmp_path: Path) -> None:
    page.goto(f"{shown.origin}/v")
    with Image.open(page_picture(pdf, tmp_path, 150)) as paper:
        paper.convert("RGB").rotate(4, expand=True, fillcolor=(90, 90, 90)).save(
            tmp_path / "photo.jpg", quality=70
        )
    page.locator("#file").set_input_files(str(tmp_path / "photo.jpg"))
    assert verdict(page) == ("valid", "in_force")


def test_typed_code_shows_what_the_register_says(shown: Stub, page: Page) -> None:
    full = {**FIELDS, "plate": parse_plate(FIELDS["plate"]).to_json()}
    answer = {"verdict": "valid", "reason": "in_force", "certificate": full, "status_as_of": in_minutes(0)}
    shown.answers["POST /v1/verify"] = (200, answer)
    page.goto(f"{shown.origin}/v")
    page.get_by_label("کد کوتاه").fill("1234-5678-9012")
    page.get_by_label("پلاک، مانند").fill("۱۲ ب ۳۴۵ - ایران ۶۷")
    page.get_by_role("button", name="Check the code").click()
    assert verdict(page) == ("valid", "in_force")
    assert shown.calls("POST /v1/verify") == [{"code": "1234-5678-9012", "plate": "۱۲ ب ۳۴۵ - ایران ۶۷"}]
    shown.answers["POST /v1/verify"] = (200, {"verdict": "unknown", "reason": "certificate_unknown"})
    page.get_by_role("button", name="Check the code").click()
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "unknown")


def test_installed_app_checks_file_and_picture_without_a_network(
    shown: Stub, context: BrowserContext, page: Page, pdf: bytes, tmp_path: Path
) -> None:
    page.goto(f"{shown.origin}/v#{DIGITS}")
    assert verdict(page) == ("valid", "in_force")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.state)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    context.set_offline(True)
    page.goto("about:blank")
    page.goto(f"{shown.origin}/v")
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "idle")
    page.locator("#file").set_input_files(str(page_picture(pdf, tmp_path, 150)))
    assert verdict(page) == ("signature_good", "signature_good_status_not_checked")
    expect(page.locator("#freshness")).to_contain_text("Keys as of")
    forged = bytearray(pdf)
    forged[pdf.index(b"TEHRAN")] ^= 1
    drop(page, bytes(forged))
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "tampered")
    drop(page, pdf)
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "signature_good")


@pytest.fixture
def filming(browser: Browser, pdf: bytes, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose camera films the paper, held a little askew."""
    with Image.open(page_picture(pdf, tmp_path, 230)) as paper:
        held = paper.convert("L").rotate(5, expand=True, fillcolor=70)
    code = zxingcpp.read_barcodes(held)[0].position.top_left
    frame = held.crop((code.x - 400, code.y - 160, code.x + 880, code.y + 560))
    film = tmp_path / "film.y4m"
    grey = bytes([128]) * (1280 * 720 // 2)
    film.write_bytes(b"YUV4MPEG2 W1280 H720 F10:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + frame.tobytes() + grey) * 2)
    running = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox", "--disable-dev-shm-usage", "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}",
        ],
    )  # fmt: skip
    yield running
    running.close()


def test_camera_reads_the_paper(shown: Stub, filming: Browser) -> None:
    context = filming.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{shown.origin}/v")
    page.get_by_role("button", name="Scan").click()
    expect(page.locator("#camera")).to_be_visible()
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "valid", timeout=30_000)
    expect(page.locator("#camera")).to_be_hidden()
    shoot(page, "verify-scanned-phone")
    context.close()


def test_without_a_camera_the_page_says_what_else_to_do(shown: Stub, page: Page) -> None:
    page.goto(f"{shown.origin}/v")
    page.get_by_role("button", name="Scan").click()
    expect(page.locator("#camera-hint")).to_contain_text("choose a picture")
    page.locator("#camera-close").click()
    expect(page.locator("#camera")).to_be_hidden()


def test_every_forgery_gets_the_verdict_of_the_python_code(shown: Stub, page: Page) -> None:
    forger, keys = Forger("browser"), jwks.read_keys(JWKS)
    texts = [forger.forge()[1] for _ in range(20_000 if PROVING else 300)]
    page.goto(f"{shown.origin}/v")
    found = page.evaluate(
        """async ({jwks, texts}) => {
            const { readKeys } = await import("/verify/keys.js");
            const { checkText } = await import("/verify/verification.js");
            const keys = await readKeys(jwks);
            const found = [];
            for (const text of texts) {
                const { verdict, reason, obligation } = await checkText(text, keys);
                found.push([verdict, reason, obligation]);
            }
            return found;
        }""",
        {"jwks": JWKS, "texts": texts},
    )
    for text, (said, reason, obligation) in zip(texts, found, strict=True):
        outcome = check_text(text, keys)
        assert (said, reason, obligation) == (outcome.verdict.value, outcome.reason.value, outcome.obligation), (
            text
        )
        assert said in ("tampered", "unreadable", "unknown")


def test_every_changed_file_is_read_as_by_the_python_code(shown: Stub, page: Page) -> None:
    draw = random.Random("browser files")
    files = [forged_files.changed(draw)[1] for _ in range(2_000 if PROVING else 60)]
    page.goto(f"{shown.origin}/v")
    script = """async (contents) => {
        const { messageInPdf, NoMessage } = await import("/verify/shown/document.js");
        const found = [];
        for (const content of contents) {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            try {
                found.push(btoa(String.fromCharCode(...await messageInPdf(bytes))));
            } catch (error) {
                if (!(error instanceof NoMessage)) throw error;
                found.push(null);
            }
        }
        return found;
    }"""
    for start in range(0, len(files), 60):
        some = files[start : start + 60]
        found = page.evaluate(script, [base64.b64encode(content).decode() for content in some])
        for content, message in zip(some, found, strict=True):
            try:
                expected: str | None = base64.b64encode(message_in_pdf(content)).decode()
            except NoMessage:
                expected = None
            assert message == expected


def test_wycheproof_in_the_browser(shown: Stub, page: Page) -> None:
    page.goto(f"{shown.origin}/v")
    cases = [
        {"jwk": {"kty": "EC", "crv": "P-256", "x": coordinate(group["x"]), "y": coordinate(group["y"])}, **case}
        for group in WYCHEPROOF
        for case in group["tests"]
    ]
    accepted = page.evaluate(
        """async (cases) => {
            const { signatureHolds } = await import("/verify/cose.js");
            const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
            const found = [];
            for (const { jwk, sig, msg } of cases) found.push(await signatureHolds(bytes(sig), bytes(msg), jwk));
            return found;
        }""",
        cases,
    )
    half = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
    for case, is_accepted in zip(cases, accepted, strict=True):
        is_low = int(case["sig"][64:] or "0", 16) <= half
        assert is_accepted is (case["result"] == "valid" and is_low), case


def coordinate(hexadecimal: str) -> str:
    return jwks.b64url(int(hexadecimal, 16).to_bytes(32, "big"))


def test_manifest_has_no_fault_and_every_control_has_a_name(shown: Stub, page: Page) -> None:
    page.goto(f"{shown.origin}/v#{DIGITS}")
    assert verdict(page) == ("valid", "in_force")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/verify/app.webmanifest")
    page.locator("#paste summary").click()
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "textbox", "link", "image", "status")
    controls = [node for node in nodes if not node["ignored"] and node.get("role", {}).get("value") in roles]
    nameless = [node for node in controls if not node.get("name", {}).get("value")]
    assert {node["role"]["value"] for node in nameless} <= {"status"}, "a status speaks by its content"
    assert len(controls) >= 7
    assert page.locator("#verdict").get_attribute("role") == "status"
    assert page.locator("#verdict").get_attribute("aria-live") == "assertive"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_screen(shown: Stub, browser: Browser, size: Any) -> None:
    context = browser.new_context(viewport=size)
    page = context.new_page()
    page.goto(f"{shown.origin}/v")
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "idle")
    expect(page.locator("#code-form")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"verify-start-{size['width']}")
    context.close()
