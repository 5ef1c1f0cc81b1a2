"""Errors, their table in docs/errors.md, and their problem documents are one and the same list."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from avarez import errors
from avarez.http.problem import problem_document

ROOT = Path(__file__).resolve().parents[2]
PERSIAN = re.compile("[آ-ی]")


def every_error() -> Iterator[type[errors.AvarezError]]:
    pending = [errors.AvarezError]
    while pending:
        kind = pending.pop()
        yield kind
        pending.extend(kind.__subclasses__())


def build(kind: type[errors.AvarezError]) -> errors.AvarezError:
    return errors.TransactionRefused([]) if kind is errors.TransactionRefused else kind()


ERRORS = sorted(every_error(), key=operator.attrgetter("code"))


@pytest.mark.parametrize("kind", ERRORS, ids=operator.attrgetter("code"))
def test_error_speaks_both_languages_with_its_own_status(kind: type[errors.AvarezError]) -> None:
    english = problem_document(build(kind), "en", "urn:x")
    persian = problem_document(build(kind), "fa", "urn:x")
    assert english["code"] == persian["code"] == kind.code
    assert english["status"] == kind.status
    assert PERSIAN.search(persian["title"])
    assert not PERSIAN.search(english["title"].replace("ب", "").replace("ایران", ""))  # a plate as an example


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in every_error()]
    assert len(codes) == len(set(codes))


def test_docs_list_every_error_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.M)
    assert {code: int(status) for code, status in rows} == {kind.code: kind.status for kind in every_error()}
