"""How a line of a bank statement names a transfer of ours."""

from __future__ import annotations

import re
from typing import Final

OPERATOR: Final = "transfer"
"""What a line of a bank statement has in its column `operator` when it is a transfer of ours."""
_REFERENCE: Final = re.compile(r"([A-Z0-9-]{2,24})-([0-9]{1,9})", re.ASCII)


def read_reference(text: str) -> tuple[str, int] | None:
    """City and number of a close that a line of a bank names; None where it names none."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else (match[1], int(match[2]))
