"""A city's events of a day as files, for those who run no program of their own; made and checked by one rule.

Pure.

A day's files hold the events that follow the last one of the day before, up to the last one that had its place
before midnight in Tehran. So the days together are the whole chain: none twice, none missing, and what happened
earlier and got its place late stands in the day of its place, marked as late. A day without events has files too.

The manifest says what the files hold and which manifest came before. It is a JWS in compact form, type
`avarez-events+jws`, by a signing key of `jwks.json`; obligations of a check, by number:
1. The token is signed by a key that we know, which was not reported as stolen.
2. Every file is there, of the size and the SHA-256 that the manifest says.
3. The lines of the JSON files are an unbroken run of the city's chain, from and to where the manifest says.
4. The CSV files are what follows from these lines.
5. Manifests of several days follow each other: place, hash, and the hash of the manifest before.
Source: RFC 7515 (JWS); RFC 4180 (CSV), OWASP ASVS 1.2.10 (cells that a spreadsheet would compute).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.certificates.jwks import KeysError, KeySet, KeyStatus, b64url, from_b64url
from avarez.certificates.signatures import is_signed_by
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.events.chain import GENESIS, SCHEMA, Event, faults
from avarez.jalali import format_jalali
from avarez.ports import Signer

TYPE: Final = "avarez-events+jws"
EVENTS_PER_FILE: Final = 20_000
"""About 30 MB of JSON: what a spreadsheet opens, and a function holds."""
FILES_MAX: Final = 1_000
TOKEN_CHARACTERS_MAX: Final = 1_000_000
COLUMNS: Final = (
    "sequence", "type", "occurred_at", "day_jalali", "late", "payment_id", "plate", "channel", "kind", "years",
    "amount_rial", "city_rial", "gateway", "reference", "certificate_id", "event_id", "previous_hash", "hash",
    "data",
)  # fmt: skip
"""`city_rial` is what the event changes of what the city is owed; `data` is the event, as in the JSON file."""
AMOUNTS: Final = frozenset({"amount_rial", "city_rial"})


class ManifestError(ValueError):
    """The token is no manifest, or is not signed by a key that counts."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a day: its name, how many events it has, its size and SHA-256."""

    name: str
    events: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a day's files hold. An empty day has `sequence_to` one below `sequence_from`, and the last hash."""

    municipality: str
    day: date
    sequence_from: int
    sequence_to: int
    previous_hash: str
    hash: str
    late: int
    files: tuple[FileEntry, ...]
    previous_manifest: str
    made_at: datetime

    def to_json(self) -> dict[str, Any]:
        """The signed form."""
        return {
            "schema": SCHEMA,
            "municipality": self.municipality,
            "day": self.day.isoformat(),
            "day_jalali": format_jalali(self.day),
            "sequence_from": self.sequence_from,
            "sequence_to": self.sequence_to,
            "previous_hash": self.previous_hash,
            "hash": self.hash,
            "late": self.late,
            "files": [
                {"name": one.name, "events": one.events, "size_bytes": one.size_bytes, "sha256": one.sha256}
                for one in self.files
            ],
            "previous_manifest": self.previous_manifest,
            "made_at": to_rfc3339(self.made_at),
        }


def file_name(municipality: str, day: date, part: int, ending: str) -> str:
    """`TEHRAN-2026-11-27-001.csv`: upper-case ASCII, digits and dashes."""
    return f"{municipality}-{day.isoformat()}-{part:03d}.{ending}"


def manifest_name(municipality: str, day: date) -> str:
    return f"{municipality}-{day.isoformat()}.jws"


def is_late(event: Event, day: date) -> bool:
    """Whether what the event tells of happened on an earlier day than the one of its place."""
    return tehran_today(from_rfc3339(str(event.data["occurred_at"]))) < day


def json_lines(events: Sequence[Event]) -> bytes:
    """One event a line, each in the form that was hashed, with its hash."""
    return b"".join(event.canonical.encode() + b"\n" for event in events)


def csv_file(events: Sequence[Event], day: date) -> bytes:
    """The same for a spreadsheet: UTF-8 with its mark, no cell a formula, amounts as numbers."""
    lines = [csv_line([_cell(row, name) for name in COLUMNS]) for row in (_row(event, day) for event in events)]
    return (BYTE_ORDER_MARK + csv_line(COLUMNS) + "".join(lines)).encode()


def _cell(row: Mapping[str, str], name: str) -> str | int:
    text = row[name]
    return int(text) if text and name in AMOUNTS else text


def _row(event: Event, day: date) -> dict[str, str]:
    data = event.data
    entry, payment = _member(data, "entry"), _member(data, "payment")
    certificate, refund, change = _member(data, "certificate"), _member(data, "refund"), _member(data, "change")
    years = refund.get("years") or entry.get("years") or payment.get("years") or ()
    return {
        "sequence": str(event.sequence),
        "type": str(data["type"]),
        "occurred_at": str(data["occurred_at"]),
        "day_jalali": format_jalali(tehran_today(from_rfc3339(str(data["occurred_at"])))),
        "late": "1" if is_late(event, day) else "",
        "payment_id": _text(payment, "payment_id"),
        "plate": _text(payment, "plate") or _text(certificate, "plate"),
        "channel": _text(payment, "channel"),
        "kind": _text(entry, "kind") or _text(certificate, "kind") or _text(change, "subject"),
        "years": " ".join(str(part["year"]) for part in years if isinstance(part, dict) and "year" in part),
        "amount_rial": _text(refund, "amount_rial") or _text(payment, "amount_rial"),
        "city_rial": _city_rial(entry, str(data["municipality"])),
        "gateway": _text(entry, "gateway") or _text(payment, "gateway"),
        "reference": _text(entry, "reference") or _text(payment, "reference"),
        "certificate_id": _text(certificate, "certificate_id") or _text(payment, "certificate_id"),
        "event_id": event.event_id,
        "previous_hash": str(data["previous_hash"]),
        "hash": event.hash,
        "data": event.canonical,
    }


def _member(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _text(member: Mapping[str, Any], name: str) -> str:
    value = member.get(name)
    return "" if value is None else str(value)


def _city_rial(entry: Mapping[str, Any], municipality: str) -> str:
    """Credit less debit of what the city is owed by this entry; empty where there is no entry."""
    if not entry:
        return ""
    owed = {f"municipality_payable:{municipality}", f"municipality_rounding:{municipality}"}
    postings = [posting for posting in entry.get("postings", ()) if posting.get("account") in owed]
    return str(sum(int(posting["credit_rial"]) - int(posting["debit_rial"]) for posting in postings))


def entry_of(name: str, content: bytes, events: int) -> FileEntry:
    """What a manifest says of this file."""
    return FileEntry(name, events, len(content), sha256(content).hexdigest())


def sign_manifest(manifest: Manifest, signer: Signer) -> str:
    """The token."""
    header = {"alg": "ES256", "kid": b64url(signer.kid), "typ": TYPE}
    signed = f"{b64url(canonical_bytes(header))}.{b64url(canonical_bytes(manifest.to_json()))}"
    return f"{signed}.{b64url(signer.sign(signed.encode('ascii')))}"


def token_hash(token: str) -> str:
    """By which the next manifest names this one."""
    return sha256(token.encode("ascii")).hexdigest()


def read_manifest(token: str, keys: KeySet) -> Manifest:
    """The manifest in a token that is signed by one of `keys` [1].

    Raises:
        ManifestError: with the reason.
    """
    parts = token.split(".")
    if len(token) > TOKEN_CHARACTERS_MAX or len(parts) != 3:
        raise ManifestError("not a JWS in compact form")
    try:
        header = json.loads(from_b64url(parts[0]))
        signature = from_b64url(parts[2])
        kid = from_b64url(str(header["kid"])) if isinstance(header, dict) else b""
        if not isinstance(header, dict) or header != {"alg": "ES256", "kid": header.get("kid"), "typ": TYPE}:
            raise ManifestError("the header is not that of a manifest")
    except (KeysError, KeyError, ValueError, RecursionError) as error:
        raise error if isinstance(error, ManifestError) else ManifestError("a part cannot be read") from error
    key = keys.get(kid)
    if key is None:
        raise ManifestError("the key is not known")
    if key.status is KeyStatus.COMPROMISED:
        raise ManifestError("the key was reported as stolen")
    if not is_signed_by(key.public_key, f"{parts[0]}.{parts[1]}".encode("ascii"), signature):
        raise ManifestError("the signature is not good")
    return _manifest(parts[1])


def _manifest(payload: str) -> Manifest:
    """The manifest of a payload that we signed; a key of ours signs nothing else of this type."""
    try:
        told = json.loads(from_b64url(payload))
        files = [
            FileEntry(str(one["name"]), int(one["events"]), int(one["size_bytes"]), str(one["sha256"]))
            for one in told["files"]
        ]
        return Manifest(
            municipality=str(told["municipality"]),
            day=date.fromisoformat(told["day"]),
            sequence_from=int(told["sequence_from"]),
            sequence_to=int(told["sequence_to"]),
            previous_hash=str(told["previous_hash"]),
            hash=str(told["hash"]),
            late=int(told["late"]),
            files=tuple(files[:FILES_MAX]),
            previous_manifest=str(told["previous_manifest"]),
            made_at=from_rfc3339(told["made_at"]),
        )
    except (KeysError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ManifestError("the payload is no manifest") from error


def file_faults(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong with a day's files against its manifest [2, 3, 4]; nothing where all is well."""
    whole = True
    for entry in manifest.files:
        content = files.get(entry.name)
        if content is None:
            yield f"{entry.name} is missing"
        elif (len(content), sha256(content).hexdigest()) != (entry.size_bytes, entry.sha256):
            yield f"{entry.name} is not the file of the manifest"
        else:
            continue
        whole = False
    if whole:
        yield from _content_faults(manifest, files)


def _content_faults(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    run: list[Event] = []
    for entry in manifest.files:
        if not entry.name.endswith(".jsonl"):
            continue
        try:
            events = list(_events(files[entry.name]))
        except (ValueError, TypeError, KeyError, RecursionError):
            yield f"{entry.name} holds a line that is no event"
            return
        if len(events) != entry.events:
            yield f"{entry.name} holds {len(events)} events, not {entry.events}"
        table = f"{entry.name.removesuffix('.jsonl')}.csv"
        if files.get(table) != csv_file(events, manifest.day):
            yield f"{table} does not follow from {entry.name}"
        run += events
    before = manifest.sequence_from - 1
    for sequence, how in faults(
        manifest.municipality, run, after_sequence=before, after_hash=manifest.previous_hash
    ):
        yield f"event {sequence} {how}"
    ends = (run[-1].sequence, run[-1].hash) if run else (before, manifest.previous_hash)
    if ends != (manifest.sequence_to, manifest.hash):
        yield f"the files end at {ends[0]}, the manifest at {manifest.sequence_to}"


def _events(content: bytes) -> Iterator[Event]:
    for line in content.splitlines():
        data = json.loads(line)
        event = Event(int(data["sequence"]), data)
        if not (isinstance(data, dict) and event.event_id and event.hash and canonical_bytes(data) == line):
            raise ValueError("the line is not in its one form")
        yield event


def follows(before: Manifest | None, token_before: str, manifest: Manifest) -> str:
    """Why this manifest does not follow the one before it [5], or begin the chain; nothing where it does."""
    if before is None:
        first = (manifest.sequence_from, manifest.previous_hash, manifest.previous_manifest) == (
            1,
            GENESIS,
            GENESIS,
        )
        return "" if first or manifest.previous_manifest != GENESIS else "it names no manifest before it"
    if manifest.municipality != before.municipality:
        return "it is of another city"
    if manifest.previous_manifest != token_hash(token_before):
        return "it does not follow the manifest before it"
    if (manifest.sequence_from, manifest.previous_hash) != (before.sequence_to + 1, before.hash):
        return "its events do not follow those of the day before"
    return "" if manifest.day > before.day else "its day is not after the day before"
