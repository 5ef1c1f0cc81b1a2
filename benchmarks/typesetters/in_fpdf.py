"""The certificate as fpdf2 makes it: cells at places, shaped by HarfBuzz. Runs in the environment of the rivals.

It writes no tagged PDF and no PDF/A-3a: that much less work is done here than in the other two.
"""

# mypy: ignore-errors

from __future__ import annotations

import re
from pathlib import Path

from drawings import (
    ACCENT,
    BACKGROUND,
    CORNER,
    GOLD,
    HOW_EN,
    HOW_FA,
    HOW_TITLE_FA,
    INK,
    LINE,
    MUTED,
    PALE,
    ROSETTE,
    corners,
    star,
)
from fpdf import FPDF

LEFT, WIDTH = 18, 174


class Sheet(FPDF):
    """A4 with our two fonts; `say` writes one line or paragraph."""

    def __init__(self, fonts: str) -> None:
        super().__init__(format="A4")
        self.set_auto_page_break(False)
        self.set_margins(LEFT, 15, LEFT)
        for style, name in (("", "Regular"), ("B", "Bold")):
            self.add_font("Vazirmatn", style, Path(fonts) / f"Vazirmatn-{name}.ttf")
        self.add_page()

    def say(self, text, x, y, width, size, *, bold=False, align="R", color=INK, latin=False, line=1.5):
        self.set_text_shaping(True, direction="ltr" if latin else "rtl", language="eng" if latin else "fas")
        self.set_font("Vazirmatn", "B" if bold else "", size)
        self.set_text_color(color)
        self.set_xy(x, y)
        self.multi_cell(width, size * 0.3528 * line, text, align=align, markdown=False)
        return self.get_y()


def render(asked: dict, fonts: str) -> bytes:
    """The PDF of what is asked: `page`, `qr`, `message` (bytes)."""
    page, sheet = asked["page"], Sheet(fonts)
    sheet.set_lang("fa")
    sheet.set_title(f"{page['title_fa']} – {page['title_en']}")
    _background(sheet)
    _head(sheet, page)
    y = sheet.say("".join(part["text"] for part in page["statement_fa"]), LEFT, 42, WIDTH, 11)
    said_en = "".join(part["text"] for part in page["statement_en"])
    y = sheet.say(said_en, LEFT, y, WIDTH, 8.4, align="L", latin=True, color=MUTED)
    y = _plate(sheet, page["plate"], y + 3)
    y = _table(sheet, page["table"], y + 3)
    y = sheet.say(f"به حروف: {page['words_fa']}", LEFT, y + 1.5, WIDTH, 9.5, bold=True)
    y = sheet.say(
        f"In words: {page['words_en']}", LEFT, y, WIDTH, 7.6, bold=True, align="L", latin=True, color=MUTED
    )
    y = _facts(sheet, page, y + 4, asked["qr"])
    _how(sheet, page["domain"], y + 4)
    sheet.say(page["certificate_id"], LEFT, 284, WIDTH, 7, align="L", latin=True, color=MUTED)
    sheet.embed_file(
        bytes=asked["message"],
        basename="certificate.cose",
        desc="The signed certificate",
        mime_type="application/cose",
    )
    return bytes(sheet.output())


def _ellipses(sheet, x, y, width, height, count, color):
    sheet.set_draw_color(color)
    sheet.set_line_width(0.09)
    for turn in range(count):
        with sheet.rotation(180 * turn / count, x, y):
            sheet.ellipse(x - width / 2, y - height / 2, width, height)


def _background(sheet):
    _ellipses(sheet, 105, 152.5, *BACKGROUND, ROSETTE)
    for x, y in corners():
        _ellipses(sheet, x, y, *CORNER, GOLD)
    for inset, color, line, radius in ((8, ACCENT, 0.53, 4), (9.8, GOLD, 0.18, 3)):
        sheet.set_draw_color(color)
        sheet.set_line_width(line)
        sheet.rect(inset, inset, 210 - 2 * inset, 297 - 2 * inset, round_corners=True, corner_radius=radius)


def _head(sheet, page):
    sheet.set_draw_color(GOLD)
    sheet.set_fill_color("#ffffff")
    sheet.set_line_width(0.3)
    for square in star(182, 25, 19):
        sheet.polygon(square, style="DF")
    sheet.set_fill_color(ACCENT)
    sheet.circle(182, 25, 4.75, style="F")
    sheet.set_fill_color("#ffffff")
    sheet.rect(180, 23, 4, 4, style="F")
    sheet.say(page["title_fa"], 60, 15, 110, 18, bold=True, color=ACCENT, line=1.3)
    sheet.say(page["title_en"], 60, 24, 110, 10, align="R", latin=True)
    sheet.say(f"شهرداری {page['city_fa']}", 120, 29.5, 50, 11, bold=True)
    sheet.say(f"Municipality of {page['city_en']}", 60, 30, 80, 8, latin=True, color=MUTED)
    sheet.say("کد کوتاه", 46, 16, 14, 8.5, color=MUTED)
    sheet.say(page["number"], 18, 16, 28, 8.9, bold=True, latin=True, align="L")
    sheet.say("Short code for typing", 18, 20.5, 42, 6.8, latin=True, align="L", color=MUTED)
    sheet.say("تاریخ", 46, 25, 14, 8.5, color=MUTED)
    sheet.say(page["issued_on_fa"], 18, 25, 28, 8.5, bold=True, align="L")
    sheet.say(f"Date {page['issued_on_en']}", 18, 30, 42, 7.2, latin=True, align="L", color=MUTED)
    sheet.set_draw_color(GOLD)
    sheet.set_line_width(0.42)
    sheet.line(LEFT, 39, LEFT + WIDTH, 39)
    sheet.set_line_width(0.14)
    sheet.line(LEFT, 39.9, LEFT + WIDTH, 39.9)


def _plate(sheet, plate, y):
    left, height = 62.5, 18
    sheet.set_draw_color("#000000")
    sheet.set_line_width(0.63)
    sheet.set_fill_color("#ffffff")
    sheet.rect(left, y, 85, height, style="DF", round_corners=True, corner_radius=1.6)
    sheet.set_fill_color("#1b3f92")
    sheet.rect(left + 0.4, y + 0.4, 8.5, height - 0.8, style="F")
    sheet.say("I.R.", left + 1, y + 10, 8, 6.4, bold=True, align="L", latin=True, color="#ffffff", line=1.1)
    sheet.say("IRAN", left + 1, y + 13, 8, 6.4, bold=True, align="L", latin=True, color="#ffffff", line=1.1)
    for text, x, width in ((plate["first"], 10, 17), (plate["letter"], 28, 15), (plate["serial"], 43, 24)):
        sheet.say(text, left + x, y + 1.5, width, 30, bold=True, align="C", color="#000000", line=1.4)
    sheet.line(left + 68, y, left + 68, y + height)
    sheet.say("ایران", left + 68, y + 1, 17, 9, bold=True, align="C", color="#000000", line=1.2)
    sheet.say(plate["region"], left + 68, y + 5, 17, 24, bold=True, align="C", color="#000000", line=1.3)
    return sheet.say(plate["text_en"], LEFT, y + height + 1, WIDTH, 8, align="C", latin=True, color=MUTED)


def _table(sheet, table, y):
    total = sum(table["widths"])
    widths = [WIDTH * width / total for width in table["widths"]]
    height = 4.7

    def row(cells, y, *, size, fill, color, bold=False):
        if fill:
            sheet.set_fill_color(fill)
            sheet.rect(LEFT, y, WIDTH, height, style="F")
        x = LEFT + WIDTH
        for (text, latin), width, side in zip(cells, widths, table["sides"], strict=True):
            x -= width
            sheet.say(text, x + 1, y + 0.4, width - 2, size, bold=bold, align="L" if side == "end" else "R",
                      latin=latin, color=color, line=1.35)  # fmt: skip

    head = [(one["fa"] or one["en"], bool(one["en"])) for one in table["head"]]
    row(head, y, size=7.5, fill=ACCENT, color="#ffffff", bold=True)
    for number, cells in enumerate(table["rows"]):
        y += height
        shown = [(cell["text"], cell["lang"] != "fa") for cell in cells]
        row(shown, y, size=7.8, fill=PALE if number % 2 else "", color=INK)
        sheet.set_draw_color(LINE)
        sheet.set_line_width(0.14)
        sheet.line(LEFT, y + height, LEFT + WIDTH, y + height)
    y += height
    row(
        [(cell["text"], cell["lang"] != "fa") for cell in table["total"]],
        y,
        size=7.8,
        fill="",
        color=INK,
        bold=True,
    )
    return y + height


def _facts(sheet, page, y, qr):
    sheet.set_fill_color("#000000")
    scale = 46 / 65
    for path in re.findall(r'<path d="([^"]+)"', qr):
        for x, top, width, height in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+Z", path):
            sheet.rect(
                LEFT + int(x) * scale, y + int(top) * scale, int(width) * scale, int(height) * scale, style="F"
            )
    sheet.say(page["domain"], LEFT, y + 47, 46, 9, bold=True, align="C", latin=True)
    bottom = y + 52
    for fact in page["facts"]:
        sheet.say(fact["fa"], 158, y, 34, 7.7, color=MUTED, line=1.2)
        sheet.say(fact["en"], 158, y + 3.4, 34, 6.1, color=MUTED, latin=True, line=1.2)
        if fact["value_fa"]:
            sheet.say(fact["value_fa"], 110, y + 1, 46, 9, bold=True, line=1.2)
        if fact["value_en"]:
            size, right = (6.9 if len(fact["value_en"]) > 30 else 8.8), (108 if fact["value_fa"] else 156)
            sheet.say(fact["value_en"], right - 90, y + 1, 90, size, bold=True, latin=True, line=1.2)
        y += 7.6
    return max(y, bottom)


def _how(sheet, domain, y):
    sheet.set_draw_color(LINE)
    sheet.set_line_width(0.14)
    sheet.set_fill_color(PALE)
    sheet.rect(LEFT, y, WIDTH, 32, style="DF", round_corners=True, corner_radius=2)
    inner = WIDTH - 8
    y = sheet.say(HOW_TITLE_FA, LEFT + 4, y + 2, inner, 9.2, bold=True, color=ACCENT)
    y = sheet.say(HOW_FA.format(domain=domain), LEFT + 4, y, inner, 8.2)
    sheet.say(HOW_EN.format(domain=domain), LEFT + 4, y + 1, inner, 7.2, align="L", latin=True, color=MUTED)
