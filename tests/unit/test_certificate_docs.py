"""The page about certificates names every reason and every key of the payload."""

from __future__ import annotations

import re
from pathlib import Path

from avarez.certificates import cbor, payload
from avarez.certificates.verification import Reason
from tests.data.certificate_vectors import CLEARANCE

PAGE = (Path(__file__).resolve().parents[2] / "docs/certificates.md").read_text(encoding="utf-8")

TABLE = PAGE.partition("## The signed message")[2].partition("## ")[0]


def test_every_reason_stands_in_the_table_of_verdicts() -> None:
    table = PAGE.partition("## Verdicts")[2].partition("## The status list")[0]
    assert {reason.value for reason in Reason} == set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", table)) - {"jwks"}


def test_every_key_of_the_payload_has_its_row() -> None:
    rows = {int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, re.MULTILINE)}
    content = cbor.decode(payload.encode(CLEARANCE))
    assert isinstance(content, dict)
    assert rows == set(content)
