"""Whole-number arithmetic on columns: the same roundings as `assessment.rules`, never a float.

64-bit integers hold every amount; where a product could leave them, Python's own integers take over.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[np.int64]
_LIMIT: Final = 2**62


def times_ratio(amounts: Amounts, numerator: Any, denominator: int) -> Amounts:
    """`amounts × numerator / denominator`, half up, for amounts and numerators from 0 on.

    The whole and the remaining part are multiplied apart, so that the product stays small. `numerator` is a number
    or a column.

    Raises:
        OverflowError: a result that is no 64-bit integer.
    """
    if not len(amounts):
        return amounts
    largest = int(np.max(numerator)) if isinstance(numerator, np.ndarray) else int(numerator)
    if largest * (int(amounts.max()) // denominator + 2) >= _LIMIT or 2 * largest * denominator >= _LIMIT:
        return _by_python(amounts, numerator, denominator)
    whole, rest = np.divmod(amounts, denominator)
    result: Amounts = whole * numerator + (2 * rest * numerator + denominator) // (2 * denominator)
    return result


def _by_python(amounts: Amounts, numerator: Any, denominator: int) -> Amounts:
    numerators = np.broadcast_to(np.asarray(numerator, dtype=object), amounts.shape)
    results = [
        (2 * int(amount) * int(factor) + denominator) // (2 * denominator)
        for amount, factor in zip(amounts, numerators, strict=True)
    ]
    return np.asarray(results, dtype=np.int64)
