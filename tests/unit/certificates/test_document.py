"""The certificate's pages: bytes, fonts, tags, text, the QR as two cameras see it, the message it carries."""

from __future__ import annotations

import io
import random
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from avarez.certificates import cose, link
from avarez.certificates import payload as payloads
from avarez.certificates.document import NoMessage, message_in_pdf
from avarez.certificates.payload import Kind
from avarez.plates import LETTER_KEYS
from benchmarks.certificates.document import YEARS, unsigned
from functions.certify.certificates.record import CertificateRecord, Paper, RecordUnsound, YearPaid, payload_of
from functions.certify.document.page import MunicipalityName, YearLines, page_content
from functions.certify.document.render import render
from tests.data.certificate_vectors import ACTIVE, ISSUED_AT, ORIGIN, SAMPLE

HOSTILE = {
    "action": "(/JavaScript (app.alert(1)) /S /JavaScript",
    "tag": "<script>alert(1)</script>",
    "typst": '#eval(read("/etc/passwd")) $x$ *b* `c` [d] \\u{41}',
    "bidi": "12\u202e345\u2066\u200f67",
    "controls": "a\x00b\x07c\nd\te",
    "foreign": "漢字 😀 €",
    "long": "9" * 5_000,
}
"""Texts from outside, such as a bank's reference; each must come out as letters."""


def record(plate: str = "12B345-67", years: tuple[YearPaid, ...] = YEARS, **changes: Any) -> CertificateRecord:
    """A signed record of these years."""
    found = replace(unsigned(SAMPLE.certificate_id, ISSUED_AT, plate, years), **changes)
    message = cose.sign(payloads.encode(payload_of(found, issued_at=ISSUED_AT)), ACTIVE)
    return replace(found, message=message, issued_at=ISSUED_AT)


def clearance() -> CertificateRecord:
    """A signed clearance of eleven years in two cities, the first of which owed nothing."""
    years = tuple(
        YearPaid(paid.year, paid.amount_rial, "TEHRAN", date(2026, 1, 1), "1795491390157502431934")
        for paid in YEARS[1:]
    )
    unpaid = YearPaid(YEARS[0].year, 0, "TEHRAN")
    return record(years=(unpaid, *years), kind=Kind.CLEARANCE, paid_through=1405)


def pdf_of(
    signed: CertificateRecord, paper: Paper = Paper.A4, lines: dict[int, YearLines] | None = None, emblem: str = ""
) -> bytes:
    name = MunicipalityName("تهران", "Tehran", emblem)
    return render(page_content(signed, origin=ORIGIN, name_of=lambda _: name, paper=paper, lines=lines))


def words_of(pdf: bytes, folder: Path) -> str:
    """The page's text as poppler reads it, without its direction marks."""
    (folder / "page.pdf").write_bytes(pdf)
    read = subprocess.run(["pdftotext", folder / "page.pdf", "-"], capture_output=True, text=True, check=True)
    return " ".join(read.stdout.replace("\u202b", " ").replace("\u202c", " ").split())


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return pdf_of(record())


@pytest.fixture(scope="module", params=["payment-a4", "payment-a5", "clearance-a4", "clearance-a5"])
def page(request: pytest.FixtureRequest) -> bytes:
    """Each kind on each paper."""
    kind, _, paper = request.param.partition("-")
    return pdf_of(clearance() if kind == "clearance" else record(), Paper(paper))


def picture(pdf: bytes, folder: Path, dpi: int) -> Image.Image:
    """The first page as a scanner gives it."""
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(dpi), "-gray", "-singlefile", folder / "page.pdf", folder / "page"],
        check=True,
    )
    return Image.open(folder / "page.pgm").convert("L")


def photocopied(seen: Image.Image) -> Image.Image:
    """The sheet after a tired photocopier: greyed ink, hard contrast, grains of dirt on one dot in sixty."""
    drawn = random.Random(7)
    copied = seen.point(lambda grey: max(0, min(255, round((grey - 118) * 1.7 + 138))))
    pixels = bytearray(copied.tobytes())
    for _ in range(len(pixels) // 60):
        pixels[drawn.randrange(len(pixels))] = drawn.choice((0, 255))
    return Image.frombytes("L", copied.size, bytes(pixels)).filter(ImageFilter.GaussianBlur(0.8))


def read_by_zbar(seen: Image.Image, folder: Path) -> list[str]:
    """What zbar, a decoder that has nothing in common with our encoder, reads."""
    seen.save(folder / "seen.png")
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", folder / "seen.png"],
        capture_output=True,
        text=True,
        check=False,
    )
    return read.stdout.split()


def test_same_record_gives_the_same_bytes(pdf: bytes) -> None:
    assert pdf_of(record()) == pdf
    assert pdf_of(record(), Paper.A5) == pdf_of(record(), Paper.A5) != pdf


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("plate", ["12B345-67", "123-45678", "45T678-11", "X-NAAM01CA8DE123456"])
def test_eleven_years_with_their_lines_stand_on_one_page(plate: str, paper: Paper) -> None:
    lines = {paid.year: YearLines(paid.amount_rial - 1_000, 2_000, -1_000) for paid in YEARS}
    total = sum(paid.amount_rial for paid in YEARS) + 20_500
    signed = record(plate, rounding_rial=500, fee_rial=20_000, amount_rial=total, office="DAFTAR-1")
    with pikepdf.open(io.BytesIO(pdf_of(signed, paper, lines))) as opened:
        assert len(opened.pages) == 1
        box = [round(float(side) / 72 * 25.4) for side in opened.pages[0].mediabox]
    assert box == [0, 0, *((210, 297) if paper is Paper.A4 else (148, 210))]


@pytest.mark.parametrize("letter", LETTER_KEYS)
def test_plate_of_every_letter_can_be_drawn(letter: str, tmp_path: Path) -> None:
    words = words_of(pdf_of(record(f"12{letter}345-67", YEARS[:1]), Paper.A5), tmp_path)
    assert f"12 {letter} 345 - Iran 67" in words


def test_file_claims_both_standards_and_is_tagged(page: bytes) -> None:
    with pikepdf.open(io.BytesIO(page)) as opened:
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "fa-IR"
        assert "خودرو" in str(metadata["dc:title"])


def test_structure_is_read_in_the_order_of_the_sheet(page: bytes) -> None:
    """Title, sentence, plate, amounts, symbol: what a screen reader reads, in this order."""
    with pikepdf.open(io.BytesIO(page)) as opened:
        seen: list[str] = []
        alternatives: list[str] = []

        def walk(node: Any) -> None:
            if isinstance(node, pikepdf.Array):
                for child in node:
                    walk(child)
            elif isinstance(node, pikepdf.Dictionary):
                if "/S" in node:
                    seen.append(str(node.S))
                if "/Alt" in node:
                    alternatives.append(str(node.Alt))
                if "/K" in node:
                    walk(node.K)

        walk(opened.Root.StructTreeRoot)
    order = [seen.index(tag) for tag in ("/H1", "/Figure", "/Table", "/TH", "/TD")]
    assert order == sorted(order)
    assert alternatives[0] == "۱۲ ب ۳۴۵ - ایران ۶۷ (12 B 345 - Iran 67)"
    assert any("QR" in text for text in alternatives)
    assert seen.count("/Figure") == 2


def test_only_our_font_is_embedded_and_as_a_subset(page: bytes, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(page)
    listed = subprocess.run(["pdffonts", tmp_path / "page.pdf"], capture_output=True, text=True, check=True)
    fonts = [line.split() for line in listed.stdout.splitlines()[2:]]
    assert fonts
    for name, *rest in fonts:
        assert "+Vazirmatn" in name, fonts
        assert rest[-5:-2] == ["yes", "yes", "yes"], fonts  # embedded, subset, with its letters in Unicode


def test_text_is_extracted_in_logical_order(pdf: bytes, tmp_path: Path) -> None:
    words = words_of(pdf, tmp_path)
    phrases = ("شهرداری تهران", "پرداخت شده است", "به حروف", "چگونه اصالت", "Municipality of Tehran")
    for phrase in (*phrases, "twenty-six million", "بیست و شش میلیون"):
        assert phrase in words, phrase
    assert SAMPLE.certificate_id in words
    assert "۲٬۴۰۱٬۳۹۵" in words


def test_clearance_names_what_was_let_go_and_what_is_not_assessed(tmp_path: Path) -> None:
    full = clearance()
    last = replace(full.years[-1], amount_rial=0, waived_rial=8_400, paid_on=None, reference="")
    years = (*full.years[:-1], last)
    little = replace(full, years=years, amount_rial=sum(paid.amount_rial for paid in years))
    words = words_of(pdf_of(replace(little, not_assessed_before=1395)), tmp_path)
    for text in ("Written off (rial)", "8,400", "years before 1395"):
        assert text in words, text
    assert "Written off" not in words_of(pdf_of(full), tmp_path)


def test_clearance_says_through_which_year_and_a_payment_does_not(pdf: bytes, tmp_path: Path) -> None:
    words = words_of(pdf_of(clearance()), tmp_path)
    assert "Paid through the year 1405 in every city" in words
    assert "بدهی نداشته" in words
    assert "1795491390157502431934" in words
    assert "Paid through" not in words_of(pdf, tmp_path)


def test_lines_stand_only_where_they_come_to_what_was_paid(tmp_path: Path) -> None:
    years = (YearPaid(1404, 1_000_000), YearPaid(1405, 700_000))
    lines = {1404: YearLines(800_000, 200_000, 0), 1405: YearLines(650_000, 0, 0)}
    words = words_of(pdf_of(record(years=years), lines=lines), tmp_path)
    assert "۸۰۰٬۰۰۰" in words
    assert "۶۵۰٬۰۰۰" not in words


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text_and_nothing_in_the_file_acts(text: str, tmp_path: Path) -> None:
    """Scenario 36."""
    made = pdf_of(record(reference=text, office=text, gateway=text), Paper.A5)
    words = words_of(made, tmp_path)
    assert not {"\u202e", "\u2066", "\x00", "\x07"} & set(words)
    if text in (HOSTILE["action"], HOSTILE["tag"]):
        assert text[:30] in words
    with pikepdf.open(io.BytesIO(made)) as opened:
        assert len(opened.pages) == 1
        for stored in opened.objects:
            if isinstance(stored, pikepdf.Dictionary):
                assert not {"/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/URI"} & set(stored.keys())
                assert stored.get("/Type") not in ("/Action", "/Annot")
                assert str(stored.get("/S", "")) not in ("/JavaScript", "/Launch", "/URI", "/SubmitForm")


def test_city_emblem_takes_the_place_of_the_neutral_one(pdf: bytes) -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#a00" d="M0 0h8L4 8z"/></svg>'
    assert len(pdf_of(record(), emblem=drawn)) != len(pdf)


@pytest.mark.parametrize("paper", Paper)
def test_symbol_measures_at_least_38_mm_with_its_quiet_zone(paper: Paper, tmp_path: Path) -> None:
    dpi = 200
    found = zxingcpp.read_barcodes(picture(pdf_of(record(), paper), tmp_path, dpi))
    corners = found[0].position
    side_mm = (corners.top_right.x - corners.top_left.x) / dpi * 25.4
    assert side_mm * 65 / 57 >= 38  # version 10 has 57 modules, the quiet zone four more at each side


@pytest.mark.parametrize(
    ("turned", "copied"), [(0, False), (3, True), (90, True)], ids=["print", "photocopy", "photocopy-on-its-side"]
)
def test_two_cameras_read_the_whole_link_at_100_dpi(
    page: bytes, tmp_path: Path, turned: int, *, copied: bool
) -> None:
    """The sheet is copied at 200 dpi, then seen turned and blurred at 100."""
    sheet = picture(page, tmp_path, 200)
    sheet = photocopied(sheet) if copied else sheet
    turned_sheet = sheet.rotate(turned, expand=True, fillcolor=255, resample=Image.Resampling.BILINEAR)
    seen = turned_sheet.reduce(2).filter(ImageFilter.GaussianBlur(0.5))
    wanted = [link.to_link(message_in_pdf(page), ORIGIN)]
    assert [code.text for code in zxingcpp.read_barcodes(seen)] == wanted
    enlarged = seen.resize((seen.width * 2, seen.height * 2), Image.Resampling.BICUBIC)
    assert read_by_zbar(enlarged, tmp_path) == wanted


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
