"""The gateways that this deployment has, from one secret, read once a process and again after a while."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from avarez.errors import AvarezError, ChannelUnavailable
from functions.pay.gateways.port import Gateway
from functions.pay.gateways.sandbox import SandboxGateway

SECRET_SECONDS_MAX = 300
"""A rotated credential is in use within five minutes; while the secret cannot be read, the last one stays."""

ADAPTERS: Mapping[str, Callable[..., Gateway]] = {"sandbox": SandboxGateway}


class Gateways:
    """Gateways by name; `read_secret` gives the secret's JSON text."""

    def __init__(self, read_secret: Callable[[], str]) -> None:
        self._read_secret = read_secret
        self._read_at = 0.0
        self._gateways: dict[str, Gateway] = {}

    def get(self, name: str) -> Gateway:
        """The gateway of this name.

        Raises:
            ChannelUnavailable: there is none.
        """
        gateway = self._current().get(name)
        if gateway is None:
            raise ChannelUnavailable()
        return gateway

    def default(self) -> str:
        """The name of the gateway used when the caller names none.

        Raises:
            ChannelUnavailable: no gateway is set up.
        """
        names = sorted(self._current())
        if not names:
            raise ChannelUnavailable()
        return names[0]

    def _current(self) -> Mapping[str, Gateway]:
        if self._gateways and time.monotonic() - self._read_at <= SECRET_SECONDS_MAX:
            return self._gateways
        try:
            text = self._read_secret()
        except AvarezError:
            if not self._gateways:
                raise
            # The credentials of five minutes ago are better than no payments.
        else:
            described: dict[str, dict[str, Any]] = json.loads(text or "{}")
            self._gateways = {
                name: ADAPTERS[name](**settings) for name, settings in described.items() if name in ADAPTERS
            }
        self._read_at = time.monotonic()
        return self._gateways
