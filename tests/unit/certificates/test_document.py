"""The certificate's page: its bytes, fonts and text, its QR as a camera sees it, and the message it carries."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from avarez.certificates import cose, link
from avarez.certificates import payload as payloads
from avarez.certificates.document import NoMessage, message_in_pdf
from benchmarks.document import YEARS, unsigned
from functions.certify.certificates.record import CertificateRecord, RecordUnsound, YearPaid, payload_of
from functions.certify.document.page import MunicipalityName, page_content
from functions.certify.document.render import render
from functions.certify.document.words import NUMBER_MAX, number_in_words, years_in_words
from tests.data.certificate_vectors import ACTIVE, ISSUED_AT, ORIGIN, SAMPLE


def record(plate: str = "12B345-67", years: tuple[YearPaid, ...] = YEARS) -> CertificateRecord:
    """A signed record of these years."""
    found = unsigned(SAMPLE.certificate_id, ISSUED_AT, plate, years)
    message = cose.sign(payloads.encode(payload_of(found, issued_at=ISSUED_AT)), ACTIVE)
    return replace(found, message=message, issued_at=ISSUED_AT)


def pdf_of(signed: CertificateRecord) -> bytes:
    return render(page_content(signed, origin=ORIGIN, name_of=lambda _: MunicipalityName("تهران", "Tehran")))


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return pdf_of(record())


def picture(pdf: bytes, folder: Path, dpi: int) -> Image.Image:
    """The first page as a scanner gives it."""
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-gray", "-png", "-singlefile", folder / "page.pdf", folder / "page"],
        check=True,
    )
    return Image.open(folder / "page.png")


def test_same_record_gives_the_same_bytes(pdf: bytes) -> None:
    assert pdf_of(record()) == pdf


@pytest.mark.parametrize("plate", ["12B345-67", "123-45678", "45T678-11", "X-NAAM01CA8DE123456"])
def test_eleven_years_stand_on_one_page_of_any_plate(plate: str) -> None:
    with pikepdf.open(io.BytesIO(pdf_of(record(plate)))) as opened:
        assert len(opened.pages) == 1


def test_file_claims_both_standards_and_is_tagged(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "fa-IR"


def test_only_our_font_is_embedded(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(pdf)
    listed = subprocess.run(["pdffonts", tmp_path / "page.pdf"], capture_output=True, text=True, check=True)
    fonts = [line.split()[0] for line in listed.stdout.splitlines()[2:]]
    assert fonts
    assert all("Vazirmatn" in font for font in fonts), fonts


def test_text_is_extracted_in_logical_order(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(pdf)
    read = subprocess.run(["pdftotext", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True)
    words = " ".join(read.stdout.replace("\u202b", " ").replace("\u202c", " ").split())
    for phrase in ("شهرداری تهران", "پرداخت شده است", "جمع پرداخت", "چگونه اصالت", "Municipality of Tehran"):
        assert phrase in words, phrase
    assert SAMPLE.certificate_id in words
    assert "۲٬۴۰۱٬۳۹۵" in words


@pytest.mark.parametrize(
    ("dpi", "turned", "blurred"), [(100, 0, 0.0), (100, 3, 0.6), (150, 90, 0.8), (200, 177, 1.0)]
)
def test_camera_reads_the_whole_link(pdf: bytes, tmp_path: Path, dpi: int, turned: int, blurred: float) -> None:
    seen = picture(pdf, tmp_path, dpi).rotate(turned, expand=True, fillcolor=255)
    found = zxingcpp.read_barcodes(seen.filter(ImageFilter.GaussianBlur(blurred)))
    assert [code.text for code in found] == [link.to_link(record().message or b"", ORIGIN)]


def test_attachment_is_the_signed_message(pdf: bytes) -> None:
    assert message_in_pdf(pdf) == record().message


@pytest.mark.parametrize(
    "broken", [b"", b"%PDF-1.7\n", b"x" * 100, b"%PDF-" + b"\0" * 5_000_000], ids=["empty", "head", "text", "huge"]
)
def test_file_without_a_message_is_refused(broken: bytes) -> None:
    with pytest.raises(NoMessage):
        message_in_pdf(broken)


def test_truncated_file_is_refused_or_still_carries_the_message(pdf: bytes) -> None:
    for share in (4, 2):
        try:
            assert message_in_pdf(pdf[: len(pdf) // share]) == record().message
        except NoMessage:
            continue


def test_pdf_of_somebody_else_is_refused(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        del opened.Root.Names, opened.Root.AF
        stripped = io.BytesIO()
        opened.save(stripped)
    with pytest.raises(NoMessage):
        message_in_pdf(stripped.getvalue())


def test_unsigned_record_has_no_page() -> None:
    with pytest.raises(RecordUnsound):
        pdf_of(replace(record(), message=None))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "صفر"),
        (1_000, "هزار"),
        (2_401_000, "دو میلیون و چهارصد و یک هزار"),
        (111_871_000, "صد و یازده میلیون و هشتصد و هفتاد و یک هزار"),
        (1_000_001, "یک میلیون و یک"),
    ],
)
def test_amount_in_words(number: int, words: str) -> None:
    assert number_in_words(number) == words


@pytest.mark.parametrize("number", [-1, NUMBER_MAX + 1])
def test_amount_without_words_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="no words"):
        number_in_words(number)


def test_years_in_words() -> None:
    assert years_in_words([(1398, 1401), (1403, 1403)]) == "۱۳۹۸ تا ۱۴۰۱ و ۱۴۰۳"
