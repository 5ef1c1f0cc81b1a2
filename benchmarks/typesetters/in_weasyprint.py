"""The certificate as WeasyPrint makes it: HTML, CSS and SVG. Runs in the environment of the rivals."""

# mypy: ignore-errors

from __future__ import annotations

import functools
from html import escape
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
from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration

STYLE = f"""
@page {{ size: A4; margin: 15mm 18mm; @bottom-left {{ content: string(number); color: {MUTED};
  font: 7pt Vazirmatn; direction: ltr; vertical-align: top }} }}
body {{ font: 10pt/1.45 Vazirmatn; color: {INK}; margin: 0 }}
.number {{ string-set: number content() }}
.en {{ direction: ltr; unicode-bidi: isolate; color: {MUTED}; font-size: 0.84em }}
p.en {{ text-align: left; margin: 0 }} p {{ margin: 0 }}
.back {{ position: fixed; top: -15mm; right: -18mm; width: 210mm; height: 297mm; z-index: -1 }}
.head {{ display: table; width: 100%; border-bottom: 1.2pt solid {GOLD}; padding-bottom: 2mm }}
.head > div {{ display: table-cell; vertical-align: middle }}
.head svg {{ width: 19mm; height: 19mm }}
h1 {{ font-size: 18pt; color: {ACCENT}; margin: 0; line-height: 1.2 }}
h2 {{ font-size: 9.2pt; color: {ACCENT}; margin: 0 0 1mm }}
.said {{ font-size: 11pt; margin-top: 3.5mm }}
.plate {{ direction: ltr; width: 85mm; height: 18mm; margin: 2.6mm auto 1mm; border: 0.63mm solid black;
  border-radius: 1.6mm; display: table; table-layout: fixed; background: white; color: black; font-weight: bold }}
.plate > span {{ display: table-cell; vertical-align: middle; text-align: center; font-size: 30pt; line-height: 1;
  height: 17mm }}
.plate .band {{ width: 8.5mm; background: #1b3f92; color: white; font-size: 6.4pt; vertical-align: bottom }}
.plate .region {{ width: 16.5mm; border-left: 0.63mm solid black; font-size: 24pt }}
.plate small {{ font-size: 9pt; display: block }}
table {{ width: 100%; border-collapse: collapse; font-size: 8.2pt; margin-top: 2.6mm }}
th {{ background: {ACCENT}; color: white; text-align: right; padding: 1.15mm 2.4mm }}
td {{ border-bottom: 0.4pt solid {LINE}; padding: 0.6mm 2.4mm }}
tr:nth-child(even) td {{ background: {PALE} }}
tr.total td {{ background: white; border-top: 1pt solid {ACCENT}; font-weight: bold }}
.end {{ text-align: left }}
.pay {{ display: table; width: 100%; margin-top: 2.6mm; font-size: 9pt }}
.pay > div {{ display: table-cell; vertical-align: top }}
.qr {{ width: 47mm; text-align: center }} .qr svg {{ width: 46mm; height: 46mm; border: 0.5pt solid {GOLD} }}
.facts td {{ border: 0; padding: 0 0 1.2mm; background: none !important }} .facts {{ font-size: 9pt; margin: 0 }}
.how {{ background: {PALE}; border: 0.4pt solid {LINE}; border-radius: 2mm; padding: 2.4mm 4mm; margin-top: 2.6mm;
  font-size: 8.2pt }}
"""


@functools.cache
def _prepared(fonts: str) -> tuple[CSS, FontConfiguration]:
    """The style sheet and the fonts, read once a process."""
    config = FontConfiguration()
    faces = "".join(
        f"@font-face {{ font-family: Vazirmatn; font-weight: {weight}; "
        f"src: url({(Path(fonts) / f'Vazirmatn-{name}.ttf').as_uri()}) }}"
        for name, weight in (("Regular", 400), ("Bold", 700))
    )
    return CSS(string=faces + STYLE, font_config=config), config


def render(asked: dict, fonts: str) -> bytes:
    """The PDF/A-3a of what is asked: `page`, `qr`, `message` (bytes)."""
    style, config = _prepared(fonts)
    attached = Attachment(
        string=asked["message"], name="certificate.cose", description="The signed certificate", relationship="Data"
    )
    made = HTML(string=_html(asked["page"], asked["qr"])).write_pdf(
        stylesheets=[style], font_config=config, pdf_variant="pdf/a-3a", attachments=[attached]
    )
    return bytes(made)


def _html(page: dict, qr: str) -> str:
    symbol = qr[qr.index("<svg") :].replace("<svg ", '<svg viewBox="0 0 65 65" ')
    return f"""<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8">
<title>{escape(page["title_fa"])} – {escape(page["title_en"])}</title></head><body>
{_background()}
<div class="head"><div style="width:24mm">{_emblem()}</div>
<div><h1>{escape(page["title_fa"])}</h1><p class="en" style="text-align:right">{escape(page["title_en"])}</p>
<b>شهرداری {escape(page["city_fa"])}</b> <span class="en">Municipality of {escape(page["city_en"])}</span></div>
<div style="width:44mm;font-size:8.5pt">کد کوتاه <b dir="ltr">{page["number"]}</b>
<p class="en">Short code for typing</p>تاریخ <b>{page["issued_on_fa"]}</b>
<p class="en">Date {page["issued_on_en"]}</p></div></div>
<p class="said">{_said(page["statement_fa"])}</p><p class="en">{_said(page["statement_en"])}</p>
{_plate(page["plate"])}{_table(page["table"])}
<p style="font-size:9.5pt">به حروف: <b>{page["words_fa"]}</b></p>
<p class="en">In words: <b>{page["words_en"]}</b></p>
<div class="pay"><div><table class="facts">{"".join(_fact(one) for one in page["facts"])}</table></div>
<div class="qr">{symbol}<b dir="ltr">{page["domain"]}</b></div></div>
<div class="how"><h2>{HOW_TITLE_FA}</h2><p>{HOW_FA.format(domain=page["domain"])}</p>
<p class="en">{escape(HOW_EN.format(domain=page["domain"]))}</p></div>
<span class="number" style="font-size:0">{page["certificate_id"]}</span></body></html>"""


def _said(parts: list) -> str:
    return "".join(f"<b>{escape(part['text'])}</b>" if part["bold"] else escape(part["text"]) for part in parts)


def _background() -> str:
    def ellipses(x, y, width, height, count, color):
        return "".join(
            f'<ellipse cx="{x}" cy="{y}" rx="{width / 2}" ry="{height / 2}" fill="none" stroke="{color}" '
            f'stroke-width="0.09" transform="rotate({180 * turn / count} {x} {y})"/>'
            for turn in range(count)
        )

    drawn = ellipses(105, 152.5, *BACKGROUND, ROSETTE)
    drawn += "".join(ellipses(x, y, *CORNER, GOLD) for x, y in corners())
    frame = (
        '<g fill="none">'
        f'<rect x="8" y="8" width="194" height="281" rx="4" stroke="{ACCENT}" stroke-width="0.53"/>'
        f'<rect x="9.8" y="9.8" width="190.4" height="277.4" rx="3" stroke="{GOLD}" stroke-width="0.18"/></g>'
    )
    return f'<svg class="back" viewBox="0 0 210 297">{drawn}{frame}</svg>'


def _emblem() -> str:
    squares = "".join(
        f'<polygon points="{" ".join(f"{x:.2f},{y:.2f}" for x, y in square)}" fill="white" stroke="{GOLD}"/>'
        for square in star(50, 50, 100)
    )
    return (
        f'<svg viewBox="0 0 100 100">{squares}<circle cx="50" cy="50" r="25" fill="{ACCENT}"/>'
        '<rect x="40" y="40" width="20" height="20" fill="white"/></svg>'
    )


def _plate(plate: dict) -> str:
    return (
        f'<div class="plate"><span class="band">I.R.<br>IRAN</span><span>{plate["first"]}</span>'
        f"<span>{plate['letter']}</span><span>{plate['serial']}</span>"
        f'<span class="region"><small>ایران</small>{plate["region"]}</span></div>'
        f'<p class="en" style="text-align:center">{plate["text_en"]}</p>'
    )


def _table(table: dict) -> str:
    sides = ["end" if side == "end" else "" for side in table["sides"]]
    head = "".join(
        f'<th class="{side}">{escape(title["fa"])}'
        f'<span class="en" style="color:white">{escape(title["en"])}</span></th>'
        for side, title in zip(sides, table["head"], strict=True)
    )
    rows = "".join(f"<tr>{_cells(row, sides)}</tr>" for row in table["rows"])
    total = f'<tr class="total">{_cells(table["total"], sides)}</tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}{total}</tbody></table>"


def _cells(row: list, sides: list) -> str:
    return "".join(
        f'<td class="{side}"><span{"" if cell["lang"] == "fa" else " dir=ltr"}>{escape(cell["text"])}</span></td>'
        for side, cell in zip(sides, row, strict=True)
    )


def _fact(fact: dict) -> str:
    return (
        f'<tr><td style="width:34mm">{fact["fa"]}<br><span class="en">{fact["en"]}</span></td>'
        f'<td><b>{escape(fact["value_fa"])}</b> <b class="en" dir="ltr">{escape(fact["value_en"])}</b></td></tr>'
    )
