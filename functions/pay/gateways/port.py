"""What a payment gateway must be able to do, and the values it answers with.

A verdict of the gateway is a value. That there is no verdict (a timeout, a page instead of JSON, half an
answer) is `OutcomeUnknown`, and never the same as a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """A page is open for this payment."""

    token: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The gateway will not take this payment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a callback says, none of it proven. `amount_rial` is None when it names no readable amount."""

    order_id: str
    token: str
    state: Literal["paid", "cancelled", "other"]
    reference: str
    amount_rial: int | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The gateway confirms that it holds `amount_rial` for us, now or since an earlier verify of ours."""

    reference: str
    amount_rial: int
    already: bool


@dataclass(frozen=True, slots=True)
class NotPaid:
    """The gateway holds no money under this reference for this token."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The money went back to the payer: the window has passed, or it was reversed."""


@dataclass(frozen=True, slots=True)
class AmountRefused:
    """The gateway holds another amount than ours, and has not confirmed it: it goes back by itself."""

    amount_rial: int


@dataclass(frozen=True, slots=True)
class Reversed:
    """The gateway has sent the whole amount back to the payer, now or since an earlier call of ours."""

    already: bool


@dataclass(frozen=True, slots=True)
class NotReversible:
    """The gateway will not send this money back: its time is over, or it never does."""

    reason: str


ReverseResult = Reversed | NotReversible
VerifyResult = Verified | NotPaid | Returned | AmountRefused


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the gateway knows of a token: `open` is a page nobody has answered yet."""

    state: Literal["open", "paid", "cancelled", "gone", "returned"]
    reference: str = ""
    amount_rial: int = 0


class Gateway(Protocol):
    """One gateway. Amounts are in rial at this border, whatever unit the gateway counts in.

    Every call ends within its time limit. Raises `OutcomeUnknown` where no verdict came.
    """

    @property
    def name(self) -> str: ...

    @property
    def rial_per_unit(self) -> int: ...

    @property
    def page_lifetime(self) -> timedelta: ...

    @property
    def verify_window(self) -> timedelta: ...

    @property
    def can_inquire_without_callback(self) -> bool: ...

    def request_token(self, *, order_id: str, amount_rial: int, callback_url: str) -> Token | TokenRefused: ...

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None: ...

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult: ...

    def inquire(self, *, token: str, order_id: str) -> Inquiry: ...

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult: ...


class GatewaySet(Protocol):
    """The gateways of this deployment; raises `ChannelUnavailable` where there is none."""

    def get(self, name: str) -> Gateway: ...

    def default(self) -> str: ...


def to_units(amount_rial: int, rial_per_unit: int) -> int:
    """The amount in the gateway's unit (1 for rial, 10 for toman).

    Raises:
        ValueError: it is no whole number of units; nothing is ever rounded on the way to a gateway.
    """
    if amount_rial % rial_per_unit:
        raise ValueError(f"{amount_rial} rial is no whole number of units of {rial_per_unit} rial")
    return amount_rial // rial_per_unit


def from_units(amount: int, rial_per_unit: int) -> int:
    """The amount in rial."""
    return amount * rial_per_unit
