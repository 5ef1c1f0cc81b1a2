"""Use cases of a bank's file: taken in, its lines applied in chunks, told how far it is.

Idempotent by file (its content's hash) and by line (`billing.take_line`). A line whose duty somebody is paying at
that moment keeps its chunk open, and the sweep asks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol

from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.errors import BankFileInvalid
from avarez.ids import new_id
from functions.pay.payments.billing import Taken, take_line
from functions.pay.payments.ports import Desk
from functions.pay.rules.bills import BadLine, Layout, PaidLine, layout_of, lines_of

CHUNK_LINES: Final = 50
"""A chunk takes a second or two, so that a worker which dies costs little."""
ASK_AGAIN: Final = timedelta(minutes=2)
BAD: Final = "refused"


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file as it was taken in; `content_sha256` is of its text."""

    file_id: str
    bank: str
    layout: Layout
    content_sha256: str
    lines: int
    chunks: int
    taken_by: str
    taken_at: datetime
    open_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileChunk:
    """A few lines as they came (the first is no header), and what became of each, by its number in the file."""

    number: int
    text: str
    outcomes: Mapping[str, str]
    done: bool = False


class BankFiles(Protocol):
    """Where the files are kept."""

    def find(self, file_id: str) -> BankFile | None: ...

    def known(self, bank: str, content_sha256: str) -> str | None:
        """The id of the file with this content, if it came before."""

    def create(self, file: BankFile, chunks: Sequence[FileChunk]) -> None:
        """Stores the chunks first and the record last; raises `TransactionRefused` when the content is known."""

    def chunk(self, file: BankFile, number: int) -> FileChunk | None: ...

    def keep(self, file: BankFile, chunk: FileChunk) -> None: ...

    def progress(self, file: BankFile) -> Sequence[FileChunk]:
        """Every chunk without its text."""

    def move(self, before: BankFile, after: BankFile) -> None: ...

    def send(self, file: BankFile, chunks: Sequence[int]) -> None: ...


def take_in(
    files: BankFiles, *, bank: str, text: str, layout: Layout | None, taken_by: str, now: datetime
) -> BankFile:
    """The file, stored and being worked on; the very same content again gives the file that came first.

    Raises:
        BankFileInvalid: no line can be read in either layout.
    """
    digest = sha256(text.encode()).hexdigest()
    if (known := files.known(bank, digest)) is not None and (file := files.find(known)) is not None:
        return file
    found = layout or layout_of(text, tehran_today(now))
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    if found is None or not lines:
        raise BankFileInvalid()
    pieces = [lines[start : start + CHUNK_LINES] for start in range(0, len(lines), CHUNK_LINES)]
    file = BankFile(
        file_id=new_id("bf", now),
        bank=bank,
        layout=found,
        content_sha256=digest,
        lines=len(lines),
        chunks=len(pieces),
        taken_by=taken_by,
        taken_at=now,
        open_due_at=now + ASK_AGAIN,
    )
    files.create(file, [FileChunk(number, "\n".join(piece), {}) for number, piece in enumerate(pieces)])
    files.send(file, range(len(pieces)))
    return file


def work(desk: Desk, files: BankFiles, file: BankFile, number: int) -> FileChunk | None:
    """The chunk after each of its lines was taken, again if need be."""
    chunk = files.chunk(file, number)
    if chunk is None or chunk.done:
        return chunk
    outcomes: dict[str, str] = {}
    for line in _lines(file, chunk, tehran_today(desk.clock.now())):
        if isinstance(line, BadLine):
            outcomes[str(line.number)] = f"{BAD}:{line.code}"
        else:
            outcomes[str(line.number)] = _outcome(desk, file, chunk, line)
    after = replace(chunk, outcomes=outcomes, done=Taken.WAITS not in outcomes.values())
    files.keep(file, after)
    return after


def _outcome(desk: Desk, file: BankFile, chunk: FileChunk, line: PaidLine) -> str:
    taken = take_line(desk, line, bank=file.bank)
    # A chunk that is worked on again meets its own lines; what became of them the first time is what counts.
    earlier = chunk.outcomes.get(str(line.number), "")
    return earlier if taken is Taken.ALREADY and earlier not in ("", Taken.WAITS) else taken.value


def _lines(file: BankFile, chunk: FileChunk, today: date) -> Sequence[PaidLine | BadLine]:
    first = chunk.number * CHUNK_LINES
    found = lines_of("header\n" + chunk.text, file.layout, today)
    return [replace(line, number=line.number + first) for line in found]


def look(files: BankFiles, file: BankFile, now: datetime) -> bool:
    """Whether the file is done; if not, what is left of it is asked of the queue again."""
    left = [chunk.number for chunk in files.progress(file) if not chunk.done]
    files.send(file, left)
    files.move(file, replace(file, open_due_at=now + ASK_AGAIN if left else None))
    return not left


def file_json(files: BankFiles, file: BankFile) -> dict[str, Any]:
    """The file's progress, its lines by outcome, and those that a person should look at."""
    counted: Counter[str] = Counter()
    notable: list[dict[str, Any]] = []
    chunks = files.progress(file)
    for chunk in chunks:
        for number, outcome in chunk.outcomes.items():
            counted[outcome] += 1
            if outcome not in (Taken.APPLIED, Taken.ALREADY):
                notable.append({"line": int(number), "outcome": outcome})
    return {
        "bank_file_id": file.file_id,
        "bank": file.bank,
        "layout": file.layout.value,
        "content_sha256": file.content_sha256,
        "status": "done" if all(chunk.done for chunk in chunks) else "working",
        "lines": file.lines,
        "lines_done": counted.total() - counted[Taken.WAITS.value],
        "outcomes": dict(sorted(counted.items())),
        "notable": sorted(notable, key=lambda line: line["line"])[:1_000],
        "taken_by": file.taken_by,
        "taken_at": to_rfc3339(file.taken_at),
    }


def file_item(file: BankFile) -> dict[str, Any]:
    return {
        "file_id": file.file_id,
        "bank": file.bank,
        "layout": file.layout.value,
        "content_sha256": file.content_sha256,
        "lines": file.lines,
        "chunks": file.chunks,
        "taken_by": file.taken_by,
        "taken_at": to_rfc3339(file.taken_at),
        "open_due_at": to_rfc3339(file.open_due_at) if file.open_due_at else None,
    }


def file_from(item: Mapping[str, Any]) -> BankFile:
    return BankFile(
        file_id=str(item["file_id"]),
        bank=str(item["bank"]),
        layout=Layout(item["layout"]),
        content_sha256=str(item["content_sha256"]),
        lines=int(item["lines"]),
        chunks=int(item["chunks"]),
        taken_by=str(item["taken_by"]),
        taken_at=from_rfc3339(item["taken_at"]),
        open_due_at=from_rfc3339(item["open_due_at"]) if item.get("open_due_at") else None,
    )
