"""Settings from the environment, read on first use and never at import."""

from __future__ import annotations

import os


class SettingMissing(RuntimeError):
    """The deployment forgot a setting that this function needs."""


def setting(name: str) -> str:
    """The value of the environment variable `name`.

    Raises:
        SettingMissing: it is absent or empty; the deployment is wrong, not the request.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissing(f"the environment has no {name}")
    return value
