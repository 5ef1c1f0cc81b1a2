"""The item that decides who may charge a duty, as every function that settles one must treat it."""

from __future__ import annotations

from typing import Final

FREE: Final = (
    "attribute_not_exists(pk) OR "
    "( #status = :leased AND attribute_not_exists(confirmed) AND lease_until_at < :now )"
)
"""Nobody holds the duty: a condition over its item, with `leased` and `now`."""
