"""The whole journey over the running stack: plate, lines, money, certificate, verdict."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image

from tests.system.conftest import System
from tests.system.journey import (
    assess,
    certificate,
    fetch_pdf,
    follow_callback,
    pay,
    press,
    settled,
    start_payment,
)
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]
AVAREZ = ROOT / ".venv/bin/avarez"
DPI = 150


def qr_text(pdf: bytes, folder: Path) -> str:
    """What the QR of the first page says, read from a picture of the page."""
    (folder / "certificate.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-png", "-singlefile", folder / "certificate.pdf", folder / "page"],
        check=True,
    )
    codes = zxingcpp.read_barcodes(Image.open(io.BytesIO((folder / "page.png").read_bytes())))
    assert len(codes) == 1
    return str(codes[0].text)


def test_journey_from_plate_to_a_verdict_anyone_can_check(system: System, tmp_path: Path) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    plate = fresh_plate()

    standing = clerk.get(f"/v1/vehicles/{plate}")
    assert standing.status == 200, standing.text
    city = next(row for row in standing.json["municipalities"] if row["municipality"] == "MASHHAD")
    quote = assess(clerk, plate)
    assert city["owed_rial"] == quote["owed_rial"]
    assert sum(int(line["amount_rial"]) for line in quote["lines"]) == int(quote["owed_rial"]) > 0
    assert all(line["rule"] and line["law"] and line["text_fa"] and line["text_en"] for line in quote["lines"])
    assert clerk.get(f"/v1/assessments/{quote['assessment_id']}").json == quote

    paid = pay(system, clerk, plate)
    assert int(paid.payment["amount_rial"]) == int(quote["owed_rial"]) + int(paid.payment["fee_rial"])
    record = certificate(system, clerk, paid.certificate_id)
    assert record["municipality"] == "MASHHAD"

    pdf = fetch_pdf(clerk, anyone, paid.certificate_id)
    link = qr_text(pdf, tmp_path)
    assert link.startswith(f"{system.origin}/v#")
    assert anyone.get(urlsplit(link)._replace(fragment="").geturl()).status == 200

    verdict = anyone.post("/v1/verify", {"payload": link})
    assert (verdict.status, verdict.json["verdict"]) == (200, "valid"), verdict.text
    assert verdict.json["certificate"]["plate"]["key"] == plate
    by_id = anyone.get(f"/v1/verify/{paid.certificate_id}").json
    assert by_id["verdict"] == "valid"
    assert plate not in json.dumps(by_id), "the plate is masked when only an id is given"
    typed = anyone.post("/v1/verify", {"code": record["short_code"], "plate": plate}).json
    assert (typed["verdict"], typed["certificate"]) == ("valid", verdict.json["certificate"])
    other = anyone.post("/v1/verify", {"code": record["short_code"], "plate": "99B999-99"}).json
    assert (other["verdict"], "certificate" in other) == ("unknown", False)

    keys = tmp_path / "jwks.json"
    keys.write_bytes(anyone.get("/.well-known/jwks.json").body)
    for subject in (link, str(tmp_path / "certificate.pdf")):
        offline = subprocess.run(
            [AVAREZ, "verify", subject, "--keys", keys, "--json"], capture_output=True, check=False
        )
        assert offline.returncode == 0, offline.stderr.decode()
    forged = link[:-1] + str((int(link[-1]) + 1) % 10)
    refused = subprocess.run(
        [AVAREZ, "verify", forged, "--keys", keys, "--json"], capture_output=True, check=False
    )
    assert refused.returncode == 1

    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "certificate.pdf", "-"], capture_output=True, check=True
    ).stdout.decode()
    assert paid.certificate_id in text.replace("\n", "")
    words = " ".join(text.split())
    assert "This certifies that the annual duty of the vehicle with the plate below" in words
    assert "آن در زیر آمده است" in words, "Persian text is extracted in logical order"

    after = assess(clerk, plate)
    assert after["owed_rial"] == "0"


def test_upload_of_the_pdf_is_verified(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    paid = pay(system, clerk, fresh_plate())
    certificate(system, clerk, paid.certificate_id)
    pdf = fetch_pdf(clerk, anyone, paid.certificate_id)
    answer = anyone.post("/v1/verify", pdf, {"content-type": "application/pdf"})
    assert (answer.status, answer.json["verdict"]) == (200, "valid"), answer.text


def test_callback_redirects_to_the_return_url(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    quote = assess(clerk, fresh_plate())
    payment = start_payment(clerk, quote, return_url=f"{system.origin}/?returned=1").json
    answer = follow_callback(anyone, press(anyone, payment))
    assert answer.status == 303
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}" == system.origin
    assert parse_qs(target.query)["payment_id"] == [payment["payment_id"]]
    refused = start_payment(clerk, assess(clerk, fresh_plate()), return_url="https://elsewhere.example/")
    assert (refused.status, refused.json["code"]) == (422, "return_url_refused")


def test_cancelled_at_the_gateway_frees_the_duty(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    plate = fresh_plate()
    quote = assess(clerk, plate)
    payment = start_payment(clerk, quote).json
    follow_callback(anyone, press(anyone, payment, "cancelled"))
    state = clerk.get(f"/v1/payments/{payment['payment_id']}").json
    assert state["status"] in ("cancelled", "failed")
    assert pay(system, clerk, plate).payment["status"] == "settled"


def test_cancellation_by_the_clerk_frees_the_duty(system: System) -> None:
    clerk = system.client("clerk")
    quote = assess(clerk, fresh_plate())
    payment = start_payment(clerk, quote).json
    locked = start_payment(clerk, quote)
    assert (locked.status, locked.json["code"]) == (409, "duty_locked")
    assert locked.json["locked_until_at"] == payment["expires_at"]
    cancelled = clerk.post(f"/v1/payments/{payment['payment_id']}/cancellations", {})
    assert cancelled.status in (200, 201), cancelled.text
    assert start_payment(clerk, quote).status == 201


def test_idempotency_key_replays_the_first_answer(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    quote = assess(clerk, fresh_plate())
    first = start_payment(clerk, quote, key="one-key-" + quote["assessment_id"])
    follow_callback(anyone, press(anyone, first.json))
    settled(system, clerk, first.json["payment_id"])
    again = start_payment(clerk, quote, key="one-key-" + quote["assessment_id"])
    assert (again.status, again.json) == (201, first.json)
    assert again.headers["idempotency-replayed"] == "true"
    other = start_payment(clerk, quote, key="one-key-" + quote["assessment_id"], return_url=f"{system.origin}/")
    assert (other.status, other.json["code"]) == (409, "idempotency_mismatch")
    keyless = clerk.post("/v1/payments", {"assessment_id": quote["assessment_id"], "channel": "gateway"})
    assert (keyless.status, keyless.json["code"]) == (400, "idempotency_key_required")


def test_paid_duty_cannot_be_paid_again(system: System) -> None:
    clerk = system.client("clerk")
    plate = fresh_plate()
    stale = assess(clerk, plate)
    pay(system, clerk, plate)
    again = start_payment(clerk, stale)
    assert (again.status, again.json["code"]) == (409, "duty_paid")
    nothing = start_payment(clerk, assess(clerk, plate))
    assert (nothing.status, nothing.json["code"]) == (409, "nothing_owed")


def test_payment_tells_its_history(system: System) -> None:
    clerk = system.client("clerk")
    paid = pay(system, clerk, fresh_plate())
    history = clerk.get(f"/v1/payments/{paid.payment['payment_id']}/events").json
    assert "settled" in json.dumps(history)


def test_car_in_no_roll_is_registered_and_paid(system: System) -> None:
    clerk = system.client("clerk")
    plate = fresh_plate(registered=False)
    assert clerk.get(f"/v1/vehicles/{plate}").status == 404
    created = clerk.post("/v1/vehicles", new_vehicle(plate))
    assert created.status == 201, created.text
    assert int(assess(clerk, plate)["owed_rial"]) > 0
    assert pay(system, clerk, plate).payment["status"] == "settled"


def new_vehicle(plate: str) -> dict[str, object]:
    """A vehicle card as a clerk types it; numbers are made from the plate, so that each car is another."""
    digits = "".join(character for character in plate if character.isdigit())
    return {
        "municipality": "MASHHAD",
        "plate": plate,
        "chassis": f"CH{digits}",
        "engine": f"EN{digits}",
        "class": "passenger",
        "make": "سایپا",
        "model": "کوییک",
        "model_year": 1400,
        "model_calendar": "jalali",
        "origin": "domestic",
        "fuel": "petrol",
        "cylinders": 4,
        "displacement_cc": 1500,
        "base_price_rial": "1500000000",
        "sale_date_jalali": "1400-05-01",
        "residence_from_jalali": "1400-05-01",
        "evidence": {"kind": "vehicle_card", "reference": "123456"},
    }
