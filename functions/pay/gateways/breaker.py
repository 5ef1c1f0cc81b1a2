"""Gateways behind breakers: one that stays silent is left alone for a while, and then tried once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(slots=True)
class Silence:
    """How often in a row a gateway has not answered, and until when it rests."""

    calls: int = 0
    rests_until_s: float = 0.0


class Breakers:
    """Gateways, each behind its breaker; `elapsed_s` never goes back.

    With `refuses` a gateway that rests is not asked at all, as for one run of the sweep. Without, it is asked all
    the same, and only a new payment that may go elsewhere does so (`rests`).
    """

    def __init__(
        self, gateways: GatewaySet, elapsed_s: Callable[[], float] = time.monotonic, *, refuses: bool = True
    ) -> None:
        self._gateways = gateways
        self._elapsed_s = elapsed_s
        self._refuses = refuses
        self._silences: dict[str, Silence] = {}

    def get(self, name: str) -> Gateway:
        """The gateway of this name, as the set has it now."""
        silence = self._silences.setdefault(name, Silence())
        return Breaker(self._gateways.get(name), silence, self._elapsed_s, refuses=self._refuses)

    def default(self) -> str:
        return self._gateways.default()


class Breaker:
    """A gateway whose silences are counted."""

    def __init__(
        self, gateway: Gateway, silence: Silence, elapsed_s: Callable[[], float], *, refuses: bool
    ) -> None:
        self._gateway = gateway
        self._silence = silence
        self._elapsed_s = elapsed_s
        self._refuses = refuses
        self.name = gateway.name
        self.rial_per_unit = gateway.rial_per_unit
        self.page_lifetime = gateway.page_lifetime
        self.verify_window = gateway.verify_window
        self.reverse_window = gateway.reverse_window
        self.amount_min_rial = gateway.amount_min_rial
        self.amount_max_rial = gateway.amount_max_rial
        self.can_inquire_without_callback = gateway.can_inquire_without_callback
        self.read_callback = gateway.read_callback

    @property
    def rests(self) -> bool:
        """Whether it was silent too often, a moment ago."""
        return self._elapsed_s() < self._silence.rests_until_s

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
        """One call, counted."""
        if self._refuses and self.rests:
            raise OutcomeUnknown()
        try:
            yield
        except OutcomeUnknown:
            self._silence.calls += 1
            if self._silence.calls >= SILENCES_MAX:
                self._silence.rests_until_s = self._elapsed_s() + REST_S
            raise
        self._silence.calls = 0
        self._silence.rests_until_s = 0.0
