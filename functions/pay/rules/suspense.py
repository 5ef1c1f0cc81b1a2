"""Money that came and that no payment of ours explains."""

from __future__ import annotations

from datetime import datetime

from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status

NATIONAL = "NATIONAL"
"""In place of a city: nobody knows yet whose the money is."""


def unexplained(
    *,
    payment_id: str,
    municipality: str,
    channel: str,
    gateway: str,
    reference: str,
    amount_rial: int,
    created_by: str,
    now: datetime,
    tracking: str,
    office: str = "",
    terminal: str = "",
) -> Payment:
    """A payment of its own, in suspense from its birth, without vehicle or duty: two people say whose it is."""
    return Payment(
        payment_id=payment_id,
        assessment_id="",
        municipality=municipality,
        plate="",
        vehicle_id="",
        years=(),
        rounding_rial=0,
        fee_rial=0,
        amount_rial=amount_rial,
        status=Status.SUSPENSE,
        channel=channel,
        gateway=gateway,
        created_by=created_by,
        created_at=now,
        expires_at=now,
        verify_until_at=now,
        trace_hash="",
        tariff_version="",
        reference=reference,
        tracking=tracking,
        office=office,
        terminal=terminal,
        confirmed_rial=amount_rial,
    )
