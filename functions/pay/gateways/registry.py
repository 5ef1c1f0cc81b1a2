"""The gateways that this deployment has, from one secret, read once a process and again after a while."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from avarez.errors import AvarezError, ChannelUnavailable

if TYPE_CHECKING:
    from functions.pay.gateways.port import Gateway

SECRET_SECONDS_MAX = 300
"""A rotated credential is in use within five minutes; while the secret cannot be read, the last one stays."""

_FOLDER = "functions.pay.gateways.adapters"
ADAPTERS: Mapping[str, str] = {
    "behpardakht": "BehpardakhtGateway",
    "sadad": "SadadGateway",
    "sandbox": "SandboxGateway",
    "sep": "SepGateway",
    "zarinpal": "ZarinpalGateway",
    "zibal": "ZibalGateway",
}
"""Modules of the folder `adapters`, and the class in each."""


def adapter(name: str) -> Callable[..., Gateway]:
    """The class of this gateway's adapter; its module is loaded now, and those of the others are not."""
    module = importlib.import_module(f"{_FOLDER}.{name}")
    return cast("Callable[..., Gateway]", getattr(module, ADAPTERS[name]))


class Gateways:
    """Gateways by name, each made when it is first asked for; `read_secret` gives the secret's JSON text."""

    def __init__(self, read_secret: Callable[[], str]) -> None:
        self._read_secret = read_secret
        self._read_at = 0.0
        self._described: dict[str, dict[str, Any]] = {}
        self._made: dict[str, Gateway] = {}

    def get(self, name: str) -> Gateway:
        """The gateway of this name.

        Raises:
            ChannelUnavailable: there is none.
        """
        settings = self._current().get(name)
        if settings is None:
            raise ChannelUnavailable()
        if name not in self._made:
            self._made[name] = adapter(name)(**settings)
        return self._made[name]

    def names(self) -> list[str]:
        """Every gateway that is set up, in the order of the secret."""
        return list(self._current())

    def default(self) -> str:
        """The name of the gateway used when nobody names one: the first in the secret.

        Raises:
            ChannelUnavailable: no gateway is set up.
        """
        names = list(self._current())
        if not names:
            raise ChannelUnavailable()
        return names[0]

    def _current(self) -> Mapping[str, dict[str, Any]]:
        if self._described and time.monotonic() - self._read_at <= SECRET_SECONDS_MAX:
            return self._described
        try:
            text = self._read_secret()
        except AvarezError:
            if not self._described:
                raise
            # The credentials of five minutes ago are better than no payments.
        else:
            described: dict[str, dict[str, Any]] = json.loads(text or "{}")
            known = {name: settings for name, settings in described.items() if name in ADAPTERS}
            if known != self._described:
                self._described, self._made = known, {}
        self._read_at = time.monotonic()
        return self._described
