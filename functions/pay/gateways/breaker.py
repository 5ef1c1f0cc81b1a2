"""Gateways behind breakers: one that stays silent is left alone for a while, and then tried once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.port import (
    Gateway,
    GatewaySet,
    Inquiry,
    ReverseResult,
    Share,
    Token,
    TokenRefused,
    VerifyResult,
)

SILENCES_MAX = 3
"""After so many calls in a row without an answer a gateway is left alone."""
REST_S = 30.0
"""For so long; then one call tries it again."""


class Breakers:
    """The gateways of a process, each behind its breaker; `elapsed_s` never goes back."""

    def __init__(self, gateways: GatewaySet, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._gateways = gateways
        self._elapsed_s = elapsed_s
        self._known: dict[str, Breaker] = {}

    def get(self, name: str) -> Gateway:
        if name not in self._known:
            self._known[name] = Breaker(self._gateways.get(name), self._elapsed_s)
        return self._known[name]

    def default(self) -> str:
        return self._gateways.default()


class Breaker:
    """A gateway that answers `OutcomeUnknown` at once after too many silences in a row."""

    def __init__(self, gateway: Gateway, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._gateway = gateway
        self._elapsed_s = elapsed_s
        self._silences = 0
        self._rests_until_s = 0.0
        self.name = gateway.name
        self.rial_per_unit = gateway.rial_per_unit
        self.page_lifetime = gateway.page_lifetime
        self.verify_window = gateway.verify_window
        self.reverse_window = gateway.reverse_window
        self.amount_min_rial = gateway.amount_min_rial
        self.amount_max_rial = gateway.amount_max_rial
        self.can_inquire_without_callback = gateway.can_inquire_without_callback
        self.read_callback = gateway.read_callback

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        with self._guarded():
            return self._gateway.request_token(
                order_id=order_id, amount_rial=amount_rial, callback_url=callback_url, shares=shares
            )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        with self._guarded():
            return self._gateway.verify(
                token=token, reference=reference, order_id=order_id, amount_rial=amount_rial
            )

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        with self._guarded():
            return self._gateway.inquire(token=token, order_id=order_id)

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        with self._guarded():
            return self._gateway.reverse(
                token=token, reference=reference, order_id=order_id, amount_rial=amount_rial
            )

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """One call, counted; refused at once while the gateway rests."""
        if self._elapsed_s() < self._rests_until_s:
            raise OutcomeUnknown()
        try:
            yield
        except OutcomeUnknown:
            self._silences += 1
            if self._silences >= SILENCES_MAX:
                self._rests_until_s = self._elapsed_s() + REST_S
            raise
        self._silences = 0
