"""A city's emblem as SVG: shapes and nothing else, since it is part of every certificate of that city. Pure."""

from __future__ import annotations

import re
from typing import Final

CHARACTERS_MAX: Final = 20_000
#: What an emblem is drawn with. Text would need fonts; images, links and styles lead out of the file.
_ELEMENTS: Final = frozenset(
    ("svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon", "title", "desc")
)
_TAG: Final = re.compile(r"<\s*/?\s*([A-Za-z][A-Za-z0-9:_-]*)")
_LEADS_OUT: Final = re.compile(r"href|url\s*\(|<!|<\?|&|style\s*=|\son[a-z]+\s*=|javascript|data:", re.IGNORECASE)


def emblem_of(svg: str) -> str:
    """The emblem if it is one that may be printed, else nothing: then the neutral one stands in its place."""
    svg = svg.strip()
    if not svg.startswith("<svg") or not svg.endswith("</svg>") or len(svg) > CHARACTERS_MAX:
        return ""
    if _LEADS_OUT.search(svg) or any(tag not in _ELEMENTS for tag in _TAG.findall(svg)):
        return ""
    return svg
