"""What a payment gateway must be able to do, and the values it answers with.

A verdict of the gateway is a value. That there is no verdict (a timeout, a page instead of JSON, half an
answer) is `OutcomeUnknown`, and never the same as a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable


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
class Share:
    """A part of a payment that the gateway pays out to this account; the parts add up to the amount exactly."""

    iban: str
    amount_rial: int


@dataclass(frozen=True, slots=True)
class Form:
    """What a payer's browser must post to open the page of a gateway that has no address for a GET."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a callback says, none of it proven.

    `token` is None where this gateway's callback need not name one. `amount_rial` is None when it names no
    readable amount; with `names_amount` False it never does, and its silence says nothing.
    """

    order_id: str
    token: str | None
    state: Literal["paid", "cancelled", "other"]
    reference: str
    amount_rial: int | None
    names_amount: bool = True


@dataclass(frozen=True, slots=True)
class Verified:
    """The gateway confirms that it holds `amount_rial` for us, now or since an earlier verify of ours.

    `tracking` is the number that people find on their bank statement; `masked_card` never holds a whole number.
    """

    reference: str
    amount_rial: int
    already: bool
    tracking: str = ""
    masked_card: str = ""


@dataclass(frozen=True, slots=True)
class NotPaid:
    """The gateway holds no money under this reference for this token."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The money went back to the payer: the window has passed, or it was reversed."""


@dataclass(frozen=True, slots=True)
class AmountRefused:
    """The gateway holds another amount than ours, and has not confirmed it; None where it does not say which."""

    amount_rial: int | None


VerifyResult = Verified | NotPaid | Returned | AmountRefused


@dataclass(frozen=True, slots=True)
class Reversed:
    """The money is on its way back to the payer's card, now or since an earlier reversal."""

    already: bool


@dataclass(frozen=True, slots=True)
class NotReversible:
    """The gateway will not send this money back; `reason` is a word or a code of its own."""

    reason: str


ReverseResult = Reversed | NotReversible


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the gateway knows of a token: `open` is a page nobody has answered yet.

    `amount_rial` is None where the gateway does not tell; what it holds is then known after verify only.
    """

    state: Literal["open", "paid", "cancelled", "gone", "returned"]
    reference: str = ""
    amount_rial: int | None = None


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
    def reverse_window(self) -> timedelta | None:
        """How long after verify the money can be sent back; None: never."""

    @property
    def amount_min_rial(self) -> int: ...

    @property
    def amount_max_rial(self) -> int: ...

    @property
    def can_inquire_without_callback(self) -> bool: ...

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        """A page to pay on. An amount outside the limits, and shares where it cannot share, never leave the house.

        Raises:
            ValueError: the shares do not add up to the amount.
        """

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None: ...

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult: ...

    def inquire(self, *, token: str, order_id: str) -> Inquiry: ...

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Sends verified money back; asking again is harmless."""


@runtime_checkable
class OpensByForm(Protocol):
    """A gateway whose page opens by a form; its `redirect_url` is a page of ours that posts it."""

    def form(self, token: str) -> Form: ...


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


def unfit(gateway: Gateway, amount_rial: int, shares: Sequence[Share], *, can_share: bool) -> TokenRefused | None:
    """Why this payment must not even be asked of the gateway, or None when it may.

    Raises:
        ValueError: the shares are not positive, or do not add up to the amount.
    """
    parts = [share.amount_rial for share in shares]
    if parts and (sum(parts) != amount_rial or min(parts) <= 0):
        raise ValueError("the shares do not add up to the amount")
    if not gateway.amount_min_rial <= amount_rial <= gateway.amount_max_rial:
        return TokenRefused("amount")
    return TokenRefused("shares") if shares and not can_share else None
