"""`avarez log verify|monitor|witness|new-key`: the transparency log, checked by somebody who does not trust us.

The log's public key (`--log-key`, the key itself or a file) is what `https://…/.well-known/avarez/log/key`
answers: fetch it once from a place you trust, and keep it. `verify` needs no network. `monitor` and `witness` keep
the last checkpoint in a file and compare. A witness signs only what it has compared, and keeps before it signs.

Exit codes: 0 good; 1 not in the log, or the log contradicts itself; 2 wrong use, or the log cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from avarez.certificates import link
from avarez.certificates.document import NoMessage, message_in_pdf
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.transparency.checkpoint import ORIGIN_PATH, CheckpointError, cosign
from avarez.transparency.note import KeyKind, NoteError, read_verifier_key, verifier_key
from avarez.transparency.proof import PROOF_BYTES_MAX, Evidence, Finding, check_proof
from avarez.transparency.tiles import Tile, TilesUnsound
from avarez.transparency.watching import Sight, Watched, watch
from avarez_cli import api, pinned

WRONG_USE: Final = 2
TIMEOUT_S: Final = 30

FINDINGS: Final = {
    Finding.LOGGED: ("در فهرست شفافیت ثبت است", "IN THE LOG"),
    Finding.PROOF_UNREADABLE: ("گواه ثبت خوانا نیست", "THE PROOF CANNOT BE READ"),
    Finding.CHECKPOINT_NOT_SIGNED: ("امضای فهرست درست نیست", "NOT SIGNED BY THIS LOG"),
    Finding.NOT_INCLUDED: ("این گواهی در فهرست نیست", "NOT IN THE LOG"),
}
SIGHTS: Final = {
    Sight.FIRST: ("نخستین نقطهٔ وارسی نگه داشته شد", "first checkpoint, kept from now on"),
    Sight.SAME: ("چیزی افزوده نشده است", "nothing new, nothing changed"),
    Sight.GREW: ("تنها افزوده شده است", "grew, and holds all that it held"),
    Sight.OLDER: ("نسخه‌ای قدیمی‌تر نشان داده شد", "an older tree is shown; it agrees with the kept one"),
    Sight.FORKED: (
        "فهرست دو روایت ناسازگار را امضا کرده است: هر دو نقطهٔ وارسی را نگه دارید و خبر دهید",
        "FORKED: the log signed two trees that contradict each other; keep both checkpoints and tell everybody",
    ),
}


def register(subparsers: Any) -> None:
    """Adds `log` with its four tasks."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "log", help="check the transparency log, or witness it", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    verify = tasks.add_parser("verify", help="whether a certificate is in the log, without a network")
    verify.add_argument("certificate", metavar="FILE.pdf|LINK|DIGITS")
    verify.add_argument("--proof", type=Path, required=True, metavar="FILE", help="its .tlog-proof file")
    verify.add_argument("--before", metavar="TIME", help="it must have been logged before this time (RFC 3339)")
    verify.add_argument("--witness", action="append", default=[], metavar="KEY", help="that must have seen it too")
    verify.set_defaults(run=run_verify)
    monitor = tasks.add_parser("monitor", help="whether the log still holds all that it held")
    monitor.set_defaults(run=run_monitor)
    witness = tasks.add_parser("witness", help="the same, and cosign what was compared")
    witness.add_argument("--key", type=Path, required=True, metavar="FILE", help="an Ed25519 private key in PEM")
    witness.add_argument("--name", required=True, help="the witness's name, such as tehran.example/witness")
    witness.set_defaults(run=run_witness)
    witness.add_argument("--send", metavar="CITY", help="send the cosigned checkpoint back, as this municipality")
    witness.add_argument("--username", help="for --send; the password comes from AVAREZ_PASSWORD, or is asked for")
    for task in (monitor, witness):
        task.add_argument("origin", metavar="URL", help="such as https://avarez.example")
        task.add_argument("--state", type=Path, required=True, metavar="FILE", help="where the checkpoint is kept")
    new_key = tasks.add_parser("new-key", help="a witness's key, and its public half to be registered")
    new_key.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="where it is written; never over one"
    )
    new_key.add_argument("--name", required=True)
    new_key.set_defaults(run=run_new_key)
    for task in (verify, monitor, witness):
        task.add_argument("--log-key", required=True, metavar="KEY|FILE", help="the log's public key")
    for task in (verify, monitor, witness, new_key):
        task.add_argument("--json", action="store_true", help="print JSON")


def run_verify(arguments: argparse.Namespace) -> int:
    """Prints what the proof shows of the certificate."""
    try:
        log = pinned.log_key(arguments.log_key)
        witnesses = [read_verifier_key(pinned.content(text), KeyKind.COSIGNATURE) for text in arguments.witness]
        before = from_rfc3339(arguments.before) if arguments.before else None
        message = _message(arguments.certificate)
    except (ValueError, NoMessage) as error:
        return _wrong_use(str(error))
    with arguments.proof.open("rb") as file:
        proof = file.read(PROOF_BYTES_MAX + 1).decode("utf-8", "replace")
    evidence = check_proof(message, proof, log, witnesses=witnesses)
    seen_by_all = len(evidence.witnesses) == len({key.public_key for key in witnesses})
    in_time = before is None or evidence.before(before, witnesses_min=len(evidence.witnesses))
    good = evidence.finding is Finding.LOGGED and in_time and seen_by_all
    _print_evidence(arguments, evidence, in_time=in_time, seen_by_all=seen_by_all)
    return 0 if good else 1


def _print_evidence(
    arguments: argparse.Namespace, evidence: Evidence, *, in_time: bool, seen_by_all: bool
) -> None:
    logged_at = to_rfc3339(evidence.logged_at) if evidence.logged_at else None
    seen = [{"name": one.name, "at": to_rfc3339(one.at)} for one in evidence.witnesses]
    if arguments.json:
        told = {
            "finding": evidence.finding.value,
            "index": evidence.index,
            "tree_size": evidence.checkpoint.size if evidence.checkpoint else None,
            "logged_at": logged_at,
            "witnesses": seen,
            "in_time": in_time if arguments.before else None,
            "seen_by_all": seen_by_all if arguments.witness else None,
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    persian, english = FINDINGS[evidence.finding]
    print(f"{persian} | {english}")
    if evidence.checkpoint is not None:
        print(f"  leaf {evidence.index} of {evidence.checkpoint.size}, logged at {logged_at}")
        for one in seen:
            print(f"  seen by {one['name']} at {one['at']}")
        if not in_time:
            print(f"  پس از زمان خواسته‌شده | NOT before {arguments.before}")
        if not seen_by_all:
            print("  همهٔ گواهان آن را ندیده‌اند | NOT seen by every witness")


def run_monitor(arguments: argparse.Namespace) -> int:
    """Prints what was seen, and keeps the checkpoint."""
    watched = _watched(arguments)
    if watched is None:
        return WRONG_USE
    _print_watched(arguments, watched)
    return 1 if watched.sight is Sight.FORKED else 0


def run_witness(arguments: argparse.Namespace) -> int:
    """Prints the cosigned checkpoint; nothing is signed that was not compared and kept."""
    try:
        signer = _Signer(arguments.key)
        key = verifier_key(arguments.name, KeyKind.COSIGNATURE, signer.public_key)
    except ValueError as error:
        return _wrong_use(str(error))
    watched = _watched(arguments)
    if watched is None:
        return WRONG_USE
    if watched.sight in (Sight.FORKED, Sight.OLDER):  # a cosignature says: the largest tree that I know of
        _print_watched(arguments, watched)
        return 1
    note = watched.shown.note
    cosigned = note.with_signatures([cosign(note.text, key.name, signer, datetime.now(UTC))]).full_text
    if arguments.send:
        try:
            client = api.Api.signed_in(arguments.origin, arguments.username or "")
            client.call("POST", f"/v1/municipalities/{arguments.send}/checkpoints", {"checkpoint": cosigned})
        except api.Refused as refusal:
            return _wrong_use(str(refusal))
    _print_watched(arguments, watched, cosigned)
    return 0


def run_new_key(arguments: argparse.Namespace) -> int:
    """Writes a private key that only its owner may read, and prints the public one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.generate()
    try:
        key = verifier_key(arguments.name, KeyKind.COSIGNATURE, private.public_key().public_bytes_raw())
    except NoteError as error:
        return _wrong_use(str(error))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(arguments.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    print(json.dumps({"key": key.text}) if arguments.json else key.text)
    return 0


class _Signer:
    """A witness's private key, read from its file."""

    def __init__(self, path: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        private = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        self._private = private

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def _watched(arguments: argparse.Namespace) -> Watched | None:
    """What is seen now against what was kept; what is to be kept is on disk when this returns."""
    if not api.is_origin(arguments.origin):
        _wrong_use("the log's address begins with https://")
        return None
    prefix = arguments.origin.rstrip("/") + ORIGIN_PATH
    state: Path = arguments.state

    def read(tile: Tile) -> bytes:
        return _fetched(f"{prefix}/tile/{tile.path}")

    try:
        log = pinned.log_key(arguments.log_key)
        kept = state.read_text("utf-8") if state.exists() else None
        watched = watch(kept, _fetched(f"{prefix}/checkpoint").decode("utf-8", "replace"), log, read)
    except (NoteError, CheckpointError, TilesUnsound, api.Refused) as error:
        _wrong_use(str(error))
        return None
    if watched.sight is Sight.FORKED:
        _write(state.with_name(f"{state.name}.fork"), watched.shown.note.full_text)
    _write(state, watched.keep)
    return watched


def _print_watched(arguments: argparse.Namespace, watched: Watched, cosigned: str = "") -> None:
    shown, kept = watched.shown, watched.kept
    if arguments.json:
        told: dict[str, Any] = {
            "sight": watched.sight.value,
            "size": shown.checkpoint.size,
            "signed_at": to_rfc3339(shown.signed_at),
            "kept_size": kept.checkpoint.size if kept else None,
            **({"cosigned": cosigned} if cosigned else {}),
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    persian, english = SIGHTS[watched.sight]
    before = f" (kept: {kept.checkpoint.size})" if kept else ""
    size, signed_at = shown.checkpoint.size, to_rfc3339(shown.signed_at)
    said = f"{persian} | {english}\n  {size} certificates{before}, signed at {signed_at}"
    print(said, file=sys.stderr if cosigned else sys.stdout)
    if cosigned:
        print(cosigned, end="")


def _message(shown: str) -> bytes:
    """The certificate's COSE message; its signature is not this command's business."""
    if shown.lower().endswith(".pdf"):
        return message_in_pdf(Path(shown).read_bytes())
    try:
        return link.read(shown).message
    except link.Unreadable as error:
        raise ValueError("the link or its digits cannot be read") from error


def _fetched(address: str) -> bytes:
    return api.opened(urllib.request.Request(address), TIMEOUT_S)  # noqa: S310 - the scheme was checked


def _write(path: Path, text: str) -> None:
    """The file holds `text`, or what it held before: never half of it."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def _wrong_use(words: str) -> int:
    print(f"avarez log: {words}", file=sys.stderr)
    return WRONG_USE
