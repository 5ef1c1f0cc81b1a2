"""What both rivals draw as the template does: the rosettes and the texts that stand in the template itself."""

from __future__ import annotations

import math

INK, ACCENT, GOLD, PALE, LINE, MUTED = "#10333d", "#0f6b66", "#a9843a", "#eef4f2", "#c6d5d1", "#42585f"
ROSETTE = "#e9f0ee"
PAGE_MM = (210, 297)
BACKGROUND = (150, 62, 30)
"""Width, height and number of the ellipses behind the text; millimetres."""
CORNER = (13, 5, 9)
HOW_FA = (
    "رمزینه را با دوربین تلفن بخوانید و ببینید که نشانی صفحه‌ای که باز می‌شود دقیقاً {domain} است. "
    "پلاک و سال‌های آن صفحه باید با همین برگه و با خود خودرو یکی باشد. ظاهر این برگه به‌تنهایی سند نیست. "
    "نام و شمارهٔ ملی مالک در این گواهی و در رمزینهٔ آن نیست."
)
HOW_TITLE_FA = "چگونه اصالت این گواهی را بررسی کنیم؟"
HOW_EN = (
    "How to verify. Scan the code and make sure that the page which opens is exactly {domain}. "
    "The plate and the years on that page must match this sheet and the car. "
    "The look of this sheet proves nothing. "
    "Neither the sheet nor the code holds the owner's name or number. "
    "Without a network: avarez verify certificate.pdf."
)


def corners(margin: float = 8.0) -> list[tuple[float, float]]:
    """The middles of the four corners' rosettes, in millimetres from the top left."""
    inset = margin + CORNER[0] * 0.21
    width, height = PAGE_MM
    return [(x, y) for x in (inset, width - inset) for y in (inset, height - inset)]


def star(x: float, y: float, size: float) -> list[list[tuple[float, float]]]:
    """The two squares of the emblem, as corners."""
    half = size * 0.335
    squares = []
    for turned in (0, math.pi / 4):
        ends = [(-half, -half), (half, -half), (half, half), (-half, half)]
        sine, cosine = math.sin(turned), math.cos(turned)
        squares.append([(x + a * cosine - b * sine, y + a * sine + b * cosine) for a, b in ends])
    return squares
