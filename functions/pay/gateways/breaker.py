"""Gateways for one run of the sweep; one that stays silent is not asked again in it."""

from __future__ import annotations

from collections.abc import Sequence

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
"""After so many calls in a row without an answer a gateway is left alone until the next run."""


class Breakers:
    """The gateways of one run, each behind its breaker."""

    def __init__(self, gateways: GatewaySet) -> None:
        self._gateways = gateways
        self._known: dict[str, Breaker] = {}

    def get(self, name: str) -> Gateway:
        if name not in self._known:
            self._known[name] = Breaker(self._gateways.get(name))
        return self._known[name]

    def default(self) -> str:
        return self._gateways.default()


class Breaker:
    """A gateway that answers `OutcomeUnknown` at once after too many silences in a row."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._silences = 0
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
        return self._gateway.request_token(
            order_id=order_id, amount_rial=amount_rial, callback_url=callback_url, shares=shares
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        self._refuse_when_open()
        try:
            result = self._gateway.verify(
                token=token, reference=reference, order_id=order_id, amount_rial=amount_rial
            )
        except OutcomeUnknown:
            self._silences += 1
            raise
        self._silences = 0
        return result

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        self._refuse_when_open()
        try:
            inquiry = self._gateway.inquire(token=token, order_id=order_id)
        except OutcomeUnknown:
            self._silences += 1
            raise
        self._silences = 0
        return inquiry

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        self._refuse_when_open()
        try:
            result = self._gateway.reverse(
                token=token, reference=reference, order_id=order_id, amount_rial=amount_rial
            )
        except OutcomeUnknown:
            self._silences += 1
            raise
        self._silences = 0
        return result

    def _refuse_when_open(self) -> None:
        if self._silences >= SILENCES_MAX:
            raise OutcomeUnknown()
