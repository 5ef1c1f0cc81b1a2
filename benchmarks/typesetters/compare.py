"""Our typesetting beside WeasyPrint and fpdf2: the same certificates, in the same run, warm and cold.

Run `python -m benchmarks.typesetters.compare`. The rivals live in an environment of their own,
`.build/typesetters/`.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pikepdf
import zxingcpp
from PIL import Image

from benchmarks.environment import environment
from benchmarks.report import Figure, at_least, plain, table
from functions.certify.document.page import PageContent
from functions.certify.document.render import qr_svg, render

GROUP: Final = "beside other typesetters"
HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
FONTS: Final = ROOT / "node_modules" / "vazirmatn" / "fonts" / "ttf"
RIVALS: Final = {"in_weasyprint": "WeasyPrint", "in_fpdf": "fpdf2"}
TIMES_WEASYPRINT: Final = 10.0
READ_AT_DPI: Final = 200


class NotTheSamePage(RuntimeError):
    """A rival's page lacks what ours says: nothing is compared."""


@dataclass(slots=True)
class Times:
    """What one typesetter took: milliseconds a page when warm, a whole process for one page, and against ours."""

    name: str
    warm_ms: list[float] = field(default_factory=list)
    cold_ms: list[float] = field(default_factory=list)
    times_ours: list[float] = field(default_factory=list)
    size_bytes: int = 0


def figures(root: Path, contents: list[PageContent], *, rounds: int) -> list[Figure]:
    """Milliseconds a page, warm and cold, and how many times longer the rivals take.

    Each round has all three, one after the other, and gives one ratio: a machine that is slow for a while slows
    both of a pair.
    Raises: NotTheSamePage
    """
    python = environment(root / ".build" / "typesetters", HERE / "requirements.lock")
    ours, rivals = Times("typst"), {module: Times(name) for module, name in RIVALS.items()}
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as name:
        folder = Path(name)
        asked = [_asked(content) for content in contents]
        for file, some in (("all", asked), ("one", asked[:1])):
            (folder / f"{file}.json").write_text(json.dumps(some), encoding="utf-8")
        for _ in range(rounds):
            took_ms = _ours_ms(contents)
            ours.warm_ms += took_ms
            ours.cold_ms.append(_ours_cold_ms(root, folder))
            for module, rival in rivals.items():
                _measure(python, folder, module, rival, statistics.median(took_ms))
                require_same((folder / f"{module}.pdf").read_bytes(), contents[-1], folder)
    rows = [
        plain(GROUP, "typst, warm", ours.warm_ms, "ms"),
        plain(GROUP, "typst, a process for one page", ours.cold_ms, "ms", 0),
    ]
    return rows + [row for rival in rivals.values() for row in _rows(rival)]


def _rows(rival: Times) -> list[Figure]:
    over = f"{rival.name} over typst, warm"
    if rival.name.startswith(RIVALS["in_weasyprint"]):
        ratio = at_least(GROUP, over, rival.times_ours, "times", TIMES_WEASYPRINT)
    else:
        ratio = plain(GROUP, over, rival.times_ours, "times")
    return [
        plain(GROUP, f"{rival.name}, warm", rival.warm_ms, "ms"),
        plain(GROUP, f"{rival.name}, a process for one page", rival.cold_ms, "ms", 0),
        plain(GROUP, f"{rival.name}, size", [rival.size_bytes / 1000], "kB"),
        ratio,
    ]


def _asked(content: PageContent) -> dict[str, str | int]:
    return {
        "page": content.text,
        "qr": qr_svg(content.qr_link),
        "link": content.qr_link,
        "message": content.message.hex(),
        "issued_at_epoch_s": content.issued_at_epoch_s,
    }


def _ours_ms(contents: list[PageContent]) -> list[float]:
    """Every page but the first, which warms the process. The QR is drawn in here; the rivals get theirs drawn."""
    took = []
    for content in contents:
        started = time.perf_counter()
        render(content)
        took.append((time.perf_counter() - started) * 1000)
    return took[1:]


def _ours_cold_ms(root: Path, folder: Path) -> float:
    code = (
        "import json, sys; from functions.certify.document.page import PageContent as P; "
        "from functions.certify.document.render import render; one = json.load(open(sys.argv[1]))[0]; "
        "render(P(one['page'], one['link'], bytes.fromhex(one['message']), one['issued_at_epoch_s']))"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder / "one.json")], cwd=root, check=True)
    return (time.perf_counter() - started) * 1000


def _measure(python: Path, folder: Path, module: str, rival: Times, ours_ms: float) -> None:
    """One round of a rival, added to its times; its last page lies in `folder` afterwards."""
    made = folder / f"{module}.pdf"
    told = _run(python, module, folder / "all.json", made)
    took_ms = told["took_ms"][1:]
    rival.name = f"{RIVALS[module]} {told['version']}"
    rival.warm_ms += took_ms
    rival.times_ours.append(statistics.median(took_ms) / ours_ms)
    rival.size_bytes = made.stat().st_size
    started = time.perf_counter()
    _run(python, module, folder / "one.json", folder / "cold.pdf")
    rival.cold_ms.append((time.perf_counter() - started) * 1000)


def _run(python: Path, module: str, asked: Path, made: Path) -> dict[str, Any]:
    told = subprocess.run(
        [str(python), str(HERE / "measure.py"), module, str(asked), str(FONTS), str(made)],
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def require_same(pdf: bytes, content: PageContent, folder: Path) -> None:
    """Passes where `pdf` is one page with every Latin text of the certificate, its QR, its message and our font.

    Persian is left to the eye: each of the three has its own order of extracted letters.
    Raises: NotTheSamePage
    """
    file = folder / "same.pdf"
    file.write_bytes(pdf)
    with pikepdf.open(file) as document:
        if len(document.pages) != 1:
            raise NotTheSamePage(f"{len(document.pages)} pages")
        attached = [one.get_file().read_bytes() for one in document.attachments.values()]
        if attached != [content.message]:
            raise NotTheSamePage("the signed message is not attached")
    extracted = ["pdftotext", "-layout", str(file), "-"]
    shown = subprocess.run(extracted, capture_output=True, check=True)
    text = re.sub(r"\s+", "", shown.stdout.decode())
    missing = [said for said in latin_texts(json.loads(content.text)) if re.sub(r"\s+", "", said) not in text]
    if missing:
        raise NotTheSamePage(f"not on the page: {missing}")
    pictured = ["pdftoppm", "-r", str(READ_AT_DPI), "-png", "-singlefile", str(file), str(folder / "same")]
    subprocess.run(pictured, check=True)
    with Image.open(folder / "same.png") as picture:
        read = zxingcpp.read_barcodes(picture)
    if content.qr_link not in [one.text for one in read]:
        raise NotTheSamePage("the QR is not read")


def latin_texts(page: dict[str, Any]) -> list[str]:
    """What must stand on the page in Latin letters: number, dates, facts, plate, amounts, total in words."""
    amounts = [cell["text"] for row in (*page["table"]["rows"], page["table"]["total"]) for cell in row]
    return [
        page["number"], page["issued_on_en"], page["title_en"], page["plate"]["text_en"], page["certificate_id"],
        page["domain"], page["words_en"], *(fact["value_en"] for fact in page["facts"]),
        *(amount for amount in amounts if amount.isascii()),
    ]  # fmt: skip


def main() -> int:
    """Prints the comparison; exit code 1 where the floor is not met."""
    from benchmarks.certificates.document import LocalSigner, sample

    signer = LocalSigner()
    found = figures(ROOT, [sample(signer)[0] for _ in range(9)], rounds=5)
    print(table(found))
    return 1 if any(figure.met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
