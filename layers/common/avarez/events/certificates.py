"""What a city is told of a certificate that is in force no longer, whichever function ended it. Pure."""

from __future__ import annotations

from datetime import datetime

from avarez.events.chain import EventType, Waiting


def ended_event(
    *,
    certificate_id: str,
    municipality: str,
    plate: str,
    payment_id: str,
    superseded_by: str,
    because: str,
    event_id: str,
    now: datetime,
) -> Waiting:
    """The event: superseded where another one takes its place, else revoked.

    `because` is what ended it: a refund, a decision, or why another paper was wanted. A clearance rests on no one
    payment and is told without.
    """
    certificate = {"certificate_id": certificate_id, "plate": plate, "because": because}
    if superseded_by:
        certificate["superseded_by"] = superseded_by
    return Waiting(
        event_id=event_id,
        type=EventType.CERTIFICATE_SUPERSEDED if superseded_by else EventType.CERTIFICATE_REVOKED,
        municipality=municipality,
        about=payment_id or certificate_id,
        occurred_at=now,
        content={
            "certificate": certificate,
            **({"payment": {"payment_id": payment_id}} if payment_id else {}),
        },
    )
