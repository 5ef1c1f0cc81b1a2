"""The files of a tariff: a directory of JSON files, read together and merged into one document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from avarez.assessment.tariff.faults import Fault, invalid
from avarez.assessment.tariff.reader import LISTS, SCHEMA, entry_id
from avarez.assessment.tariff.table import Tariff

MAX_FILES: Final = 500
MAX_FILE_BYTES: Final = 4_000_000
"""Bounds of what is read: a national catalogue of 20,000 models fits with room to spare."""

_FILE_MEMBERS: Final = frozenset({"$schema", "schema", "title_fa", "title_en", "remarks", *LISTS})


def load_tariff(directory: Path) -> Tariff:
    """The tariff that a directory's `*.json` files make together, whatever their names and order.

    Raises:
        TariffInvalid: no file, a file that is no JSON object of this schema, or any fault in a row.
    """
    document, files = read_directory(directory)
    return Tariff(document, files)


def tariff_from_document(document: Mapping[str, Any]) -> Tariff:
    """The tariff of a published document, which is what `Tariff.document` gave.

    Raises:
        TariffInvalid: any fault in it.
    """
    return Tariff(document)


def merge_files(directory: Path) -> dict[str, Any]:
    """One document from a directory's files: see `read_directory`.

    Raises:
        TariffInvalid: no file, too many, too large, or not a JSON object of this schema.
    """
    return read_directory(directory)[0]


def read_directory(directory: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """One document from a directory's files, and the file of each entry by its id.

    Entries are sorted by id, titles of files left out, so that neither names nor order of files change the hash.

    Raises:
        TariffInvalid: no file, too many, too large, or not a JSON object of this schema.
    """
    paths = sorted(directory.glob("*.json")) if directory.is_dir() else []
    if not paths or len(paths) > MAX_FILES:
        raise invalid([Fault("no_files", str(directory), values={"most": MAX_FILES})])
    return merge({path.name: _read_file(path) for path in paths})


def merge(parts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """One document from the parsed files by their names, and the file of each entry by its id.

    Raises:
        TariffInvalid: a file that is no object of this schema, or whose entries have no id.
    """
    faults: list[Fault] = []
    merged: dict[str, list[Any]] = {name: [] for name in LISTS}
    files: dict[str, str] = {}
    for file, part in parts.items():
        if not isinstance(part, dict) or part.get("schema") != SCHEMA:
            faults.append(Fault("wrong_schema", "", file=file, values={"schema": SCHEMA}))
            continue
        unknown = sorted(set(part) - _FILE_MEMBERS)
        if unknown:
            faults.append(
                Fault("file_member_unknown", unknown[0], file=file, values={"names": ", ".join(unknown)})
            )
        for name, entries in merged.items():
            own = part.get(name, [])
            if not isinstance(own, list):
                faults.append(Fault("list_needed", name, file=file))
                continue
            for number, entry in enumerate(own):
                found = entry_id(entry)
                if not found:
                    faults.append(Fault("id_malformed", f"{name}/{number}", file=file))
                elif files.setdefault(found, file) != file:
                    faults.append(Fault("id_repeated", found, "id", file=file))
            entries += own
    if faults:
        raise invalid(faults)
    document: dict[str, Any] = {"schema": SCHEMA}
    for name, entries in merged.items():
        if entries or name in ("laws", "rows"):  # a list that came later leaves the hashes of before alone
            document[name] = sorted(entries, key=entry_id)
    return document, files


def _read_file(path: Path) -> Any:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise invalid([Fault("file_too_large", "", file=path.name, values={"most": f"{MAX_FILE_BYTES:,}"})])
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise invalid([Fault("not_json", "", file=path.name, values={"reason": error})]) from error


def parse(text: str) -> Any:
    """The JSON value, without repeated keys and without numbers that JSON does not have.

    Raises:
        ValueError: it is none.
    """
    return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_no_number)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is written twice in one object")
    return members


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
