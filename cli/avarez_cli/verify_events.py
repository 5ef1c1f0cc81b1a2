"""`avarez verify-events FILE.jws …`: whether a city's daily files are what the system signed, whole and in order.

Give the manifests of one day or of many; the files of each lie beside it, under the names that it says. The keys
are the file behind `https://…/.well-known/jwks.json`: `--keys FILE`, else AVAREZ_KEYS, else
~/.config/avarez/keys.json.
`--manifest-only` checks signatures and order without the files.

Exit codes: 0 everything holds; 1 something does not; 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from avarez.certificates.jwks import KeysError, KeySet, read_keys
from avarez.events.files import Manifest, ManifestError, file_faults, follows, read_manifest
from avarez_cli import pinned
from avarez_cli.verify import KEYS_FILE, KEYS_VARIABLE

TOKEN_BYTES_MAX: Final = 1_000_000


def register(subparsers: Any) -> None:
    """Adds `verify-events` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify-events", help="check a city's daily files of events", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("manifests", type=Path, nargs="+", metavar="FILE.jws", help="manifests, in any order")
    parser.add_argument("--keys", type=Path, help="the signing keys, as jwks.json has them")
    parser.add_argument("--manifest-only", action="store_true", help="leave the files themselves out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a verdict for each day; 1 when one of them is negative."""
    try:
        document = (arguments.keys or pinned.default_path(KEYS_VARIABLE, KEYS_FILE)).read_text("utf-8")
        keys = read_keys(json.loads(document))
    except (KeysError, ValueError) as error:
        print(f"avarez verify-events: the keys: {error}", file=sys.stderr)
        return 2
    told = verdicts(arguments.manifests, keys, with_files=not arguments.manifest_only)
    if arguments.json:
        print(json.dumps({"valid": not any(day["faults"] for day in told), "days": told}, ensure_ascii=False))
    else:
        for day in told:
            print(_line(day))
    return 1 if any(day["faults"] for day in told) else 0


def verdicts(paths: Sequence[Path], keys: KeySet, *, with_files: bool) -> list[dict[str, Any]]:
    """What is said of each manifest: those that can be read in the order of their days, the others first."""
    unread: list[dict[str, Any]] = []
    found: list[tuple[Manifest, str, Path]] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                token = file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
            found.append((read_manifest(token, keys), token, path))
        except (ManifestError, UnicodeDecodeError) as error:
            unread.append({"manifest": path.name, "faults": [str(error)]})
    found.sort(key=lambda one: (one[0].municipality, one[0].day))
    said: list[dict[str, Any]] = []
    before: Manifest | None = None
    token_before = ""
    for manifest, token, path in found:
        if before is not None and before.municipality != manifest.municipality:
            before, token_before = None, ""
        faults = [fault] if (fault := follows(before, token_before, manifest)) else []
        if with_files:
            faults += file_faults(manifest, _files(manifest, path.parent))
        said.append(_said(manifest, path, faults))
        before, token_before = manifest, token
    return unread + said


def _files(manifest: Manifest, folder: Path) -> dict[str, bytes]:
    """The files that lie beside the manifest; a name that leads elsewhere is none of them."""
    found = {}
    for entry in manifest.files:
        path = folder / entry.name
        if path.name == entry.name and path.is_file() and path.stat().st_size == entry.size_bytes:
            found[entry.name] = path.read_bytes()
    return found


def _said(manifest: Manifest, path: Path, faults: Sequence[str]) -> dict[str, Any]:
    return {
        "manifest": path.name,
        "municipality": manifest.municipality,
        "day": manifest.day.isoformat(),
        "sequence_from": manifest.sequence_from,
        "sequence_to": manifest.sequence_to,
        "late": manifest.late,
        "hash": manifest.hash,
        "faults": list(faults),
    }


def _line(day: dict[str, Any]) -> str:
    if "day" not in day:
        return f"{day['manifest']}: REFUSED: {'; '.join(day['faults'])}"
    events = day["sequence_to"] - day["sequence_from"] + 1
    what = f"{day['municipality']} {day['day']}: {events} events"
    if events:
        what += f", {day['sequence_from']} to {day['sequence_to']}"
    return f"{what}: REFUSED: {'; '.join(day['faults'])}" if day["faults"] else f"{what}: good"
