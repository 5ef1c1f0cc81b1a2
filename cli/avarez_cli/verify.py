"""`avarez verify FILE.pdf|LINK|DIGITS`: checks a certificate's signature offline, with pinned public keys.

The keys are the file behind `https://…/.well-known/jwks.json`, fetched once from a place you trust and kept:
`--keys FILE`, else the file named by AVAREZ_KEYS, else ~/.config/avarez/keys.json.

Without a status list nothing can be said about a later revocation: a good answer reads "signature good, status
not checked". `--status` names what `/.well-known/avarez/status` answers (every certificate), or
`…/status/{shard}` (some), or a folder with them (`whole.cwt`, `17.cwt`). A list is good for 26 hours; with an
older one the answer is "cannot tell since" its time.

A certificate whose key was stolen later needs its proof file (`--log-proof`, from below
`/.well-known/avarez/log/proof/`) and the log's public key: `--log-key`, else AVAREZ_LOG_KEY, else
~/.config/avarez/log-key.

`--batch FILE.csv` reads links, digits or names of PDFs from the column `certificate` and prints a CSV with a
verdict for each row.

Exit codes: 0 the signature is good, and the status where one was given; 1 any other verdict; 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from avarez.certificates import link
from avarez.certificates.document import NoMessage, message_in_pdf
from avarez.certificates.jwks import KeysError, KeySet, read_keys
from avarez.certificates.offline.listed import Listed
from avarez.certificates.offline.logged import by_proof
from avarez.certificates.payload import CertificatePayload
from avarez.certificates.verification import (
    LoggedBefore,
    Outcome,
    Reason,
    Verdict,
    check_message,
    check_text,
    log_not_seen,
)
from avarez.clock import to_rfc3339
from avarez.digits import grouped_en, grouped_fa
from avarez.jalali import format_jalali_fa
from avarez.money import format_rial
from avarez.municipalities import find_municipality
from avarez.plates import parse_plate
from avarez.transparency.note import NoteError
from avarez.transparency.proof import PROOF_BYTES_MAX
from avarez_cli import pinned
from avarez_cli.verify_rows import Status, verify_rows

EXIT_GOOD: Final = 0
EXIT_NEGATIVE: Final = 1
EXIT_WRONG_USE: Final = 2
#: Of the list in `avarez.certificates.verification`.
STATUS_OBLIGATION: Final = 10
KEYS_VARIABLE: Final = "AVAREZ_KEYS"
KEYS_FILE: Final = "keys.json"
LOG_KEY_VARIABLE: Final = "AVAREZ_LOG_KEY"
LOG_KEY_FILE: Final = "log-key"

WORDS: Final = {
    Verdict.VALID: ("معتبر است", "VALID"),
    Verdict.REVOKED: ("باطل شده است", "REVOKED"),
    Verdict.SUPERSEDED: ("گواهی تازه‌ای جای آن آمده است", "SUPERSEDED"),
    Verdict.TAMPERED: ("دست‌کاری شده است؛ آن را نپذیرید", "TAMPERED: do not accept it"),
    Verdict.UNREADABLE: ("خوانا نیست", "UNREADABLE"),
    Verdict.UNKNOWN: ("ناشناخته است؛ آن را نپذیرید", "UNKNOWN: do not accept it"),
    Verdict.CANNOT_TELL: ("نمی‌توان گفت", "CANNOT TELL"),
}


NOT_CHECKED: Final = ("امضا درست است؛ وضعیت بررسی نشد", "SIGNATURE GOOD, status not checked")


def register(subparsers: Any) -> None:
    """Adds `verify` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify", help="check a certificate without a network", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument(
        "certificate", nargs="?", metavar="FILE.pdf|LINK|DIGITS", help="`-` reads the link from standard input"
    )
    shown.add_argument("--batch", type=Path, metavar="FILE.csv", help="one certificate a row, one verdict a row")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="public keys (a JWK set)")
    parser.add_argument("--status", type=Path, metavar="FILE|DIR", help="signed status lists that were kept")
    parser.add_argument("--log-proof", type=Path, metavar="FILE", help="the certificate's .tlog-proof file")
    parser.add_argument("--log-key", metavar="KEY|FILE", help="the log's public key, for --log-proof")
    parser.add_argument(
        "--origin", metavar="URL", help="refuse links that lead elsewhere, such as a look-alike host"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the verdict; see the module for the exit codes."""
    path: Path = arguments.keys or pinned.default_path(KEYS_VARIABLE, KEYS_FILE)
    try:
        keys = read_keys(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _wrong_use(
            f"no public keys at {path}: fetch https://<host>/.well-known/jwks.json once and name it with --keys",
            f"کلیدهای عمومی در {path} نیست: یک بار jwks.json را بگیرید و با --keys نشان دهید",
        )
    except (ValueError, KeysError):
        return _wrong_use(f"{path} is no set of public keys", f"{path} مجموعهٔ کلید عمومی نیست")
    try:
        logged_before = _log(arguments)
    except (NoteError, UnicodeDecodeError):
        return _wrong_use("--log-key is no public key of a log", "کلید عمومی دفتر شفافیت درست نیست")
    status = Status(arguments.status, keys, datetime.now(UTC))
    if arguments.batch is not None:
        return verify_rows(
            arguments.batch, lambda shown: judge(shown, keys, arguments.origin, logged_before), status
        )
    found = status.check(judge(arguments.certificate, keys, arguments.origin, logged_before))
    print(json.dumps(_answer(found), ensure_ascii=False) if arguments.json else _text(found))
    return EXIT_GOOD if found.outcome.verdict is Verdict.VALID else EXIT_NEGATIVE


def judge(
    shown: str, keys: KeySet, origin: str | None = None, logged_before: LoggedBefore = log_not_seen
) -> Outcome:
    """The outcome for a file's name, a link or digits; `origin` refuses links to anywhere else.

    Raises: OSError when `shown` names a file that cannot be read.
    """
    if shown == "-":
        shown = sys.stdin.read(link.MAX_CHARACTERS + 1)
    elif shown.lower().endswith(".pdf") or _is_file(shown):
        try:
            return check_message(message_in_pdf(Path(shown).read_bytes()), keys, logged_before)
        except NoMessage:
            return Outcome(Verdict.UNREADABLE, Reason.NO_MESSAGE_IN_FILE, 1)
    if origin and _leads_elsewhere(shown, origin):
        return Outcome(Verdict.UNKNOWN, Reason.FOREIGN_ORIGIN, 1)
    return check_text(shown, keys, logged_before)


def _is_file(text: str) -> bool:
    return len(text) < 256 and Path(text).is_file()


def _leads_elsewhere(text: str, origin: str) -> bool:
    page, mark, _ = text.rpartition("#")
    if not mark or not page.strip():
        return False
    asked, given = urlsplit(origin), urlsplit(page.strip())
    return (given.scheme, given.netloc) != (asked.scheme, asked.netloc)


def _log(arguments: argparse.Namespace) -> LoggedBefore:
    """What the proof file shows, if there is one. Raises: NoteError for a key that is none."""
    if arguments.log_proof is None:
        return log_not_seen
    key = pinned.log_key(arguments.log_key or str(pinned.default_path(LOG_KEY_VARIABLE, LOG_KEY_FILE)))
    with arguments.log_proof.open("rb") as file:
        return by_proof(file.read(PROOF_BYTES_MAX + 1).decode("utf-8", "replace"), key)


def _answer(found: Listed) -> dict[str, Any]:
    outcome = found.outcome
    answer: dict[str, Any] = {
        "verdict": outcome.verdict.value,
        "reason": outcome.reason.value,
        "status_checked": outcome.obligation == STATUS_OBLIGATION,
        "status_as_of": to_rfc3339(found.status_as_of) if found.status_as_of else None,
    }
    if outcome.payload is not None:
        content = outcome.payload
        answer["certificate"] = {
            "certificate_id": content.certificate_id,
            "kind": content.kind.text,
            "municipality": content.municipality,
            "plate": parse_plate(content.plate).to_json(),
            "years": list(content.years),
            "amount_rial": format_rial(content.amount_rial),
            "paid_on": content.paid_on.isoformat(),
            "issued_at": content.issued_at.isoformat().replace("+00:00", "Z"),
        }
    return answer


def _text(found: Listed) -> str:
    outcome = found.outcome
    persian, english = NOT_CHECKED if outcome.signature_good else WORDS[outcome.verdict]
    if found.status_as_of is not None:
        since = to_rfc3339(found.status_as_of)
        is_open = outcome.verdict is Verdict.CANNOT_TELL
        persian += f" از {since} به بعد" if is_open else f" (وضعیت در {since})"
        english += f" since {since}" if is_open else f" (status as of {since})"
    lines = [f"{persian} | {english} ({outcome.reason.value})"]
    if outcome.payload is not None:
        lines += _facts(outcome.payload)
    return "\n".join(lines)


def _facts(content: CertificatePayload) -> list[str]:
    plate = parse_plate(content.plate)
    city = find_municipality(content.municipality)
    years = ", ".join(str(year) for year in content.years)
    return [
        f"  پلاک | plate    {plate.text_fa} | {plate.text_en}",
        f"  شهر | city      {city.name_fa if city else content.municipality} | {content.municipality}",
        f"  سال‌ها | years   {years}",
        f"  مبلغ | amount   {grouped_fa(content.amount_rial)} ریال | {grouped_en(content.amount_rial)} rial",
        f"  پرداخت | paid   {format_jalali_fa(content.paid_on)} | {content.paid_on.isoformat()}",
        f"  شماره | number  {content.certificate_id}",
    ]


def _wrong_use(english: str, persian: str) -> int:
    print(f"avarez verify: {english}\n{persian}", file=sys.stderr)
    return EXIT_WRONG_USE
