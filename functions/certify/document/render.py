"""The certificate's page as PDF/A-3a and PDF/UA-1, the same bytes for the same content.

Typst refuses to write a file that breaks either standard. Fonts come from our own folder alone, the time stamp is
the certificate's, and nothing else enters: no clock, no network, no package.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Final

import typst
import zxingcpp

from functions.certify.document.page import PageContent

STANDARDS: Final = ("a-3a", "ua-1")
TEMPLATE_FOLDER: Final = Path(__file__).parent / "template"
_FONT_FILES: Final = ("Vazirmatn-Regular.ttf", "Vazirmatn-Bold.ttf")
#: Level M restores 15 % of the symbol: enough for a folded sheet; Q would need smaller modules.
_QR_LEVEL: Final = "M"


class FontsMissing(RuntimeError):
    """The package holds no fonts: the build is wrong, not the certificate."""


def render(content: PageContent) -> bytes:
    """The PDF, with the COSE message attached as `certificate.cose`.

    `make bench` says what it takes, warm and cold (group "a certificate of 11 years").
    """
    inputs = {
        "page": content.text,
        "qr": qr_svg(content.qr_link),
        "message": json.dumps(list(content.message)),
    }
    return typeset("certificate.typ", inputs, content.issued_at_epoch_s)


def typeset(template: str, inputs: dict[str, str], made_at_epoch_s: int) -> bytes:
    """The PDF of a template with these inputs, dated with the instant that its content was made."""
    pdf: Any = _compiler().compile(
        input=str(TEMPLATE_FOLDER / template),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=list(STANDARDS),
        timestamp=made_at_epoch_s,
    )
    return bytes(pdf)


def qr_svg(text: str) -> str:
    """The QR symbol as SVG paths, with its quiet zone of four modules; digits go in numeric mode."""
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=_QR_LEVEL)
    return str(symbol.to_svg(add_quiet_zones=True))


@functools.cache
def _compiler() -> Any:
    """One compiler a process: it keeps the parsed fonts and the template. No font but ours is to be found."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_font_folder())])
    return typst.Compiler(root=str(TEMPLATE_FOLDER), font_paths=fonts)


def _font_folder() -> Path:
    """The folder with both fonts: the package's own or, in a working copy, what npm brought."""
    root = Path(__file__).parents[3]
    for folder in (Path(__file__).parent / "fonts", root / "node_modules" / "vazirmatn" / "fonts" / "ttf"):
        if all((folder / name).is_file() for name in _FONT_FILES):
            return folder
    raise FontsMissing("Vazirmatn-Regular.ttf and Vazirmatn-Bold.ttf are nowhere")
