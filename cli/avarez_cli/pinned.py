"""Public keys that a verifier fetched once and keeps: where they lie, and how they are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from avarez.transparency.checkpoint import LogKey, log_key_of
from avarez.transparency.note import KeyKind, read_verifier_key

FOLDER: Final = Path(".config/avarez")
#: A key, or the name of a file, is shorter than this.
TEXT_MAX: Final = 4_096


def default_path(variable: str, name: str) -> Path:
    """The file that the environment names, else the one of this name in the user's own folder."""
    named = os.environ.get(variable)
    return Path(named) if named else Path.home() / FOLDER / name


def log_key(text: str) -> LogKey:
    """The log behind a key `name+id+key`, or behind the file that holds it.

    Raises: NoteError.
    """
    return log_key_of(read_verifier_key(content(text), KeyKind.NOTE))


def content(text: str) -> str:
    """The key itself, or what stands in the file of that name."""
    is_file = "+" not in text and len(text) < TEXT_MAX and Path(text).is_file()
    return Path(text).read_text("utf-8").strip() if is_file else text
