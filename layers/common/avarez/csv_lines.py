"""Lines of CSV files that open in a spreadsheet and compute nothing there.

Source: RFC 4180 for the quoting; OWASP ASVS 1.2.10 for the apostrophe before a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page and Persian turns to noise."""
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n\0＝＋－＠|%")
"""First characters by which a spreadsheet starts to compute (ASVS 1.2.10), full-width ones included."""
_LINE_BREAKS: Final = str.maketrans("", "", "\r\n\0")


def csv_line(cells: Sequence[str | int]) -> str:
    """One line: every text quoted and none a formula; a whole number stays one, though it begins with a minus."""
    return ",".join([str(cell) if isinstance(cell, int) else _quoted(cell) for cell in cells]) + "\r\n"


def safe_cell(text: str) -> str:
    """`text` on one line, with an apostrophe before what a spreadsheet would compute."""
    stripped = text.lstrip(" \u00a0\u200b\u200c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\ufeff")
    dangerous = text[:1] in _FORMULA_STARTS or stripped[:1] in _FORMULA_STARTS
    return ("'" if text and dangerous else "") + text.translate(_LINE_BREAKS)


def _quoted(text: str) -> str:
    return '"' + safe_cell(text).replace('"', '""') + '"'
