"""P-256 keys that nobody should sign with: they are on the curve, and somebody may know their private half.

The group has prime order, so no point of it is of small order; what can be weak is the private number. A key whose
private number is small, or whose coordinates are too regular for chance, was made by no random generator.
Ed25519 keys, whose curve has points of small order, are judged where notes are signed
(`avarez.transparency.note.is_weak`).
"""

from __future__ import annotations

import functools
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

#: Private numbers that tests, examples and broken generators use.
SMALL_NUMBERS_MAX: Final = 64
#: A coordinate with half of its bits equal at the top comes by chance once in 2**128 keys.
REGULAR_BITS: Final = 128
#: Source: SP 800-186, section 3.2.1.3.
FIELD_PRIME: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
GROUP_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def is_weak_p256(x: int, y: int) -> bool:
    """Whether the point (x, y) is a key to be refused; that it lies on the curve is not asked here."""
    if any(min(number, FIELD_PRIME - number) >> REGULAR_BITS == 0 for number in (x, y)):
        return True
    return x in _well_known()


@functools.cache
def _well_known() -> frozenset[int]:
    """x of the points whose private number, or its negative, is small, or is the half of one."""
    numbers = [*range(1, SMALL_NUMBERS_MAX + 1), (GROUP_ORDER + 1) // 2]
    keys = (ec.derive_private_key(number, ec.SECP256R1()).public_key() for number in numbers)
    return frozenset(key.public_numbers().x for key in keys)
