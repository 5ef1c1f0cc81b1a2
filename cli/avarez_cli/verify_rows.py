"""Status lists that are kept as files, and many certificates of one CSV file judged by them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from avarez.certificates.jwks import KeySet
from avarez.certificates.offline.listed import KeptLists, Listed, check_listed, read_lists
from avarez.certificates.status import SHARD_PLACES
from avarez.certificates.status_list import LIST_BYTES_MAX
from avarez.certificates.verification import Outcome, Reason, Verdict
from avarez.clock import to_rfc3339
from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.money import format_rial
from avarez.plates import parse_plate

LIST_ENDING: Final = ".cwt"
#: What `/.well-known/avarez/status` is called in a folder, by hand and by its address.
WHOLE_NAMES: Final = (f"whole{LIST_ENDING}", "status")
COLUMN: Final = "certificate"
COLUMNS: Final = (
    "row", "verdict", "reason", "status_as_of", "certificate_id", "municipality", "plate", "years", "amount_rial",
)  # fmt: skip
#: A link has some 470 characters; a line longer than this is no row of ours.
FIELD_CHARACTERS_MAX: Final = 8_192
EXIT_GOOD: Final = 0
EXIT_NEGATIVE: Final = 1
EXIT_WRONG_USE: Final = 2


class Status:
    """The signed lists in a file or a folder, each read once; without either nothing is said of any status."""

    def __init__(self, place: Path | None, keys: KeySet, now: datetime) -> None:
        self._place, self._keys, self._now = place, keys, now
        self._read: dict[tuple[Path, ...], KeptLists] = {}

    def check(self, signed: Outcome) -> Listed:
        """Obligation 10 by the lists that may reach the certificate.

        Raises: OSError when there is no such file or folder.
        """
        if self._place is None:
            return Listed(signed)
        paths = tuple(self._paths(self._place, signed))
        if paths not in self._read:
            self._read[paths] = read_lists(map(_list_bytes, paths), self._keys, self._now)
        return check_listed(signed, self._read[paths], self._now)

    def _paths(self, place: Path, signed: Outcome) -> Iterator[Path]:
        """The list itself; of a folder the whole list and the certificate's shard's, where they are there."""
        index = signed.payload.status_index if signed.payload else None
        if not place.is_dir():
            yield place
        elif index is not None:
            shard = str(index // SHARD_PLACES)
            names = (*WHOLE_NAMES, f"{shard}{LIST_ENDING}", shard)
            yield from (place / name for name in names if (place / name).is_file())


def verify_rows(path: Path, judge: Callable[[str], Outcome], status: Status) -> int:
    """Prints a CSV with one verdict for each row; see `avarez_cli.verify` for the exit codes."""
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    all_valid = True
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        try:
            if COLUMN not in (rows.fieldnames or ()):
                return _wrong_use(f"{path} has no column `{COLUMN}`", "ستون certificate در فایل نیست")
            sys.stdout.write(BYTE_ORDER_MARK + csv_line(COLUMNS))
            for number, row in enumerate(rows, 1):
                found = status.check(_judged(row.get(COLUMN) or "", judge, path.parent))
                all_valid = all_valid and found.outcome.verdict is Verdict.VALID
                sys.stdout.write(csv_line(_cells(number, found)))
        except (csv.Error, UnicodeDecodeError) as error:
            return _wrong_use(f"{path}, line {rows.line_num + 1}: {error}", "این سطر CSV با UTF-8 نیست")
    return EXIT_GOOD if all_valid else EXIT_NEGATIVE


def _judged(shown: str, judge: Callable[[str], Outcome], folder: Path) -> Outcome:
    """A PDF is looked for beside the file that names it; one that is not there holds no certificate."""
    if not shown.lower().endswith(".pdf"):
        return judge(shown if shown.strip() != "-" else "")
    try:
        return judge(str(folder / shown))
    except OSError:
        return Outcome(Verdict.UNREADABLE, Reason.NO_MESSAGE_IN_FILE, 1)


def _cells(number: int, found: Listed) -> list[str]:
    outcome, content = found.outcome, found.outcome.payload
    cells = [str(number), outcome.verdict.value, outcome.reason.value]
    cells.append(to_rfc3339(found.status_as_of) if found.status_as_of else "")
    if content is None:
        return cells + [""] * (len(COLUMNS) - len(cells))
    plate, years = parse_plate(content.plate).key, " ".join(map(str, content.years))
    return [*cells, content.certificate_id, content.municipality, plate, years, format_rial(content.amount_rial)]


def _list_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LIST_BYTES_MAX + 1)


def _wrong_use(english: str, persian: str) -> int:
    print(f"avarez verify: {english}\n{persian}", file=sys.stderr)
    return EXIT_WRONG_USE
