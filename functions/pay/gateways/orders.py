"""Numbers for gateways that want their order ids as numbers."""

from __future__ import annotations

from avarez.ids import id_bytes, is_id

_TIME_BITS = 41
"""Milliseconds until September 2039; afterwards the numbers begin again, and the old orders are long settled."""
_NOISE_BITS = 21
_ID_NOISE_BITS = 132
"""Random bits of an id, below its milliseconds."""


def order_number(payment_id: str) -> int:
    """The number of this payment, the same for ever, below 2^62.

    Two payments of one millisecond share it once in two million times; once in a hundred thousand where the same
    process made one after the other (`new_id` goes on in steps). The gateway refuses the second of them as a
    repeated order, and a new payment gets another number.

    Raises:
        ValueError: this is no id of a payment.
    """
    if not is_id("py", payment_id):
        raise ValueError("not the id of a payment")
    value = int.from_bytes(id_bytes(payment_id), "big")
    milliseconds = (value >> _ID_NOISE_BITS) & ((1 << _TIME_BITS) - 1)
    noise = value >> (_ID_NOISE_BITS - _NOISE_BITS) & ((1 << _NOISE_BITS) - 1)
    return milliseconds << _NOISE_BITS | noise
