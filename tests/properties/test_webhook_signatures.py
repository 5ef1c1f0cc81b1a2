"""Whatever stands in the headers of a message: it is ours, or it is refused in the one way, in any time zone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.errors import SignatureRefused
from avarez.webhooks import check, sign
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.taking import REFUSED, Receiver

EXAMPLES = 5_000 if os.environ.get("AVAREZ_PROVE") == "1" else 150
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
BODY = b'{"type": "payment.settled"}'
GOOD = sign("ev_1", NOW, BODY, [SECRET])
ZONES = ("UTC", "Asia/Tehran")

texts = st.text(st.characters(), max_size=40) | st.text("0123456789۰۱۲٣۴+-. eE_\n", max_size=12)
"""Surrogates, digits of other scripts and line breaks included."""
entries = st.one_of(
    texts,
    st.text("ABCXYZabcxyz0189+/=-_", max_size=60).map("v1,".__add__),
    st.binary(max_size=40).map(lambda raw: f"v1,{raw.decode('latin-1')}"),
)
changed = st.tuples(st.sampled_from(sorted(GOOD)), texts | st.lists(entries, max_size=15).map(" ".join))


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's time zone, for the length of a test."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_malformed_header_is_refused_and_never_another_error(zone: str, tmp_path: Path) -> None:
    books = Books(tmp_path / "books.db", "TEHRAN")
    receiver = Receiver(books, lambda: [SECRET], lambda: NOW)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(changed)
    def holds(change: tuple[str, str]) -> None:
        name, value = change
        headers = {**GOOD, name: value, "content-type": "application/json"}
        if value == GOOD[name]:
            return
        with pytest.raises(SignatureRefused):
            check(headers, BODY, [SECRET], NOW)
        assert receiver.answer(headers, BODY) == REFUSED

    holds()
    assert check(GOOD, BODY, [SECRET], NOW).sent_at == NOW, zone
    books.close()
