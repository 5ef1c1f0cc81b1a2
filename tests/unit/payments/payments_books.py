"""What must hold of all that a world has written down, whatever happened in it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from avarez.canonical import content_hash
from avarez.ids import is_id
from avarez.journal import check_balanced, members_of
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.states import TRANSITIONS, Occurrence, Status
from tests.unit.payments.payments_fake import World

PAGE = Path(__file__).resolve().parents[3] / "docs" / "payments.md"
SOURCES = {"person", "gateway", "callback", "queue", "sweep", "parent", "parts", "bank file"}
"""Who may say that something happened."""

History = list[tuple[str, str, str | None, str, dict[str, str]]]


def history(w: World, payment: Payment) -> History:
    """What happened to the payment, as words: occurrence, source, before, after, note."""
    return [
        (of.occurrence.value, of.source, of.before.value if of.before else None, of.after.value, dict(of.note))
        for of in w.store.events(payment)
    ]


def metrics() -> set[str]:
    """The metrics that the page names."""
    section = PAGE.read_text(encoding="utf-8").partition("## Metrics")[2].partition("\n## ")[0]
    return set(re.findall(r"`([a-z_]+)`", section))


def check_books(w: World) -> None:
    """Every record is whole, every history a way through the table, every entry sealed, every id of its kind."""
    for payment in w.store.payments.values():
        _check_payment(payment)
        _check_history(w.store.events(payment), payment, w.clock.now())
    _check_journal(w)
    _check_once(w)
    assert set(w.reports) <= metrics()


def _check_payment(payment: Payment) -> None:
    hints = get_type_hints(Payment)
    for of in fields(payment):
        value, wanted = getattr(payment, of.name), hints[of.name]
        if wanted in (str, int, bool, Status):
            assert type(value) is wanted, of.name
        elif get_origin(wanted) is tuple:
            assert type(value) is tuple, of.name
        elif isinstance(value, datetime) or wanted is datetime:
            assert value.tzinfo is UTC, of.name
    assert is_id("py", payment.payment_id)
    assert payment.created_at <= payment.expires_at <= payment.verify_until_at or payment.held_in_suspense
    settled = payment.status is Status.SETTLED
    assert (payment.settled_at is not None) == settled
    assert is_id("ce", payment.certificate_id) == (settled and not payment.parts)


def _check_history(events: Any, payment: Payment, now: datetime) -> None:
    standing: Status | None = None
    at = payment.created_at
    for of in events:
        assert isinstance(of, Event)
        assert isinstance(of.occurrence, Occurrence)
        assert of.source in SOURCES
        assert of.before is standing
        assert at <= of.at <= now
        assert all(type(name) is str and type(value) is str and value != "None" for name, value in of.note.items())
        if standing is not None and of.after is not standing:
            assert TRANSITIONS[standing, of.occurrence] is of.after
        standing, at = of.after, of.at
    assert standing is payment.status


def _check_journal(w: World) -> None:
    for made in w.store.journal:
        check_balanced(made.postings, made.payment_id)
        assert is_id("je", made.journal_id)
        assert made.content_hash == content_hash(members_of(made))
        assert made.created_at <= w.clock.now()
    assert len({made.journal_id for made in w.store.journal}) == len(w.store.journal)
    assert all(is_id("ev", event_id) for event_id in w.store.outbox)


def _check_once(w: World) -> None:
    """One entry, one outbox row and one certificate for what is settled, and for nothing else."""
    settled = [of.payment_id for of in w.store.payments.values() if of.status is Status.SETTLED and not of.parts]
    entries = Counter(made.payment_id for made in w.store.journal if made.kind == "payment_settled")
    assert (
        entries == Counter(settled) == Counter(w.store.outbox.values()) == Counter(w.store.certificates.values())
    )
