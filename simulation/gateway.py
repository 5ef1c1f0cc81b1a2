"""A gateway with its own money, in memory: silent, slow and forgetful at will."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avarez.clock import FixedClock
from avarez.errors import ChannelUnavailable, OutcomeUnknown
from functions.pay.gateways.port import (
    AmountRefused,
    Claim,
    Gateway,
    Inquiry,
    NotPaid,
    NotReversible,
    Returned,
    Reversed,
    ReverseResult,
    Share,
    Token,
    TokenRefused,
    Verified,
    VerifyResult,
    from_units,
    to_units,
)


@dataclass
class Slip:
    """One payment at the fake gateway."""

    order_id: str
    amount_rial: int
    opened_at: datetime
    paid_at: datetime
    state: str = "open"
    reference: str = ""


@dataclass
class MemoryGateway:
    """A gateway with its own money; `silent` answers fail before they act, `lost` ones after.

    `lagging` verifications do not know the payment yet; `before_verdict` runs once while a verdict is under way.
    """

    clock: FixedClock
    name: str = "sandbox"
    rial_per_unit: int = 1
    page_lifetime: timedelta = timedelta(minutes=15)
    verify_window: timedelta = timedelta(minutes=15)
    reverse_window: timedelta | None = timedelta(hours=1)
    amount_min_rial: int = 1_000
    amount_max_rial: int = 10**15
    can_inquire_without_callback: bool = True
    silent: int = 0
    lost: int = 0
    refuse_tokens: bool = False
    reversible: bool = True
    lagging: int = 0
    before_verdict: Callable[[], None] | None = None
    slips: dict[str, Slip] = field(default_factory=dict)
    verifies: int = 0
    calls: int = 0

    def _speak(self) -> None:
        self.calls += 1
        if self.silent > 0:
            self.silent -= 1
            raise OutcomeUnknown()

    def _lose(self) -> None:
        if self.lost > 0:
            self.lost -= 1
            raise OutcomeUnknown()

    def _told(self, slip: Slip) -> int:
        """The amount as an adapter reads it from the gateway's answer in its unit."""
        return from_units(slip.amount_rial // self.rial_per_unit, self.rial_per_unit)

    def let_time_pass(self) -> None:
        """Pages close; money that nobody verified goes back."""
        for slip in self.slips.values():
            self._age(slip)

    def _slip(self, token: str) -> Slip | None:
        """The payment behind the token, after time has done its work on it."""
        slip = self.slips.get(token)
        if slip is not None:
            self._age(slip)
        return slip

    def _age(self, slip: Slip) -> None:
        now = self.clock.now()
        if slip.state == "open" and now > slip.opened_at + self.page_lifetime:
            slip.state = "expired"
        if slip.state == "paid" and now > slip.paid_at + self.verify_window:
            slip.state = "reversed"

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        self._speak()
        if self.refuse_tokens:
            return TokenRefused("refused")
        token = f"token{len(self.slips)}"
        asked_rial = to_units(amount_rial, self.rial_per_unit) * self.rial_per_unit  # its own counting, not ours
        self.slips[token] = Slip(order_id, asked_rial, self.clock.now(), self.clock.now())
        self._lose()
        return Token(token, f"http://gateway.example/pay/{token}")

    def pay(self, token: str) -> str:
        """The payer pays, if the page is still open; the reference."""
        slip = self.slips[token]
        self._age(slip)
        if slip.state == "open":
            slip.state, slip.reference, slip.paid_at = "paid", token.replace("token", "ref"), self.clock.now()
        return slip.reference

    def abandon(self, token: str) -> None:
        if self.slips[token].state == "open":
            self.slips[token].state = "cancelled"

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        if not fields.get("order_id"):
            return None
        amount = fields.get("amount", "")
        state = fields.get("state")
        return Claim(
            fields["order_id"],
            fields.get("token", ""),
            "paid" if state == "paid" else "cancelled" if state == "cancelled" else "other",
            fields.get("reference", ""),
            self._claimed(amount),
        )

    def _claimed(self, text: str) -> int | None:
        """What a callback says was paid, in its unit."""
        if not text.isascii() or not text.isdigit():
            return None
        return from_units(int(text), self.rial_per_unit)

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        self.verifies += 1
        self._speak()
        lagging, self.lagging = self.lagging > 0, max(self.lagging - 1, 0)
        slip = None if lagging else self._slip(token)
        if slip is None or slip.reference != reference or slip.order_id != order_id or not reference:
            return NotPaid()
        if slip.state == "reversed":
            return Returned()
        asked_rial = to_units(amount_rial, self.rial_per_unit) * self.rial_per_unit
        if slip.amount_rial != asked_rial and slip.state == "paid":
            return AmountRefused(self._told(slip))
        already = slip.state == "verified"
        slip.state = "verified"
        meanwhile, self.before_verdict = self.before_verdict, None
        if meanwhile is not None:
            meanwhile()
        self._lose()
        return Verified(reference, self._told(slip), already)

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        self._speak()
        slip = self._slip(token)
        if slip is None or slip.reference != reference or slip.order_id != order_id or not self.reversible:
            return NotReversible("not_found")
        already = slip.state == "reversed"
        slip.state = "reversed"
        self._lose()
        return Reversed(already)

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        self._speak()
        slip = self._slip(token)
        if slip is None:
            return Inquiry("gone")
        match slip.state:
            case "paid" | "verified":
                return Inquiry("paid", slip.reference, self._told(slip))
            case "open":
                return Inquiry("open")
            case "cancelled":
                return Inquiry("cancelled")
            case "reversed":
                return Inquiry("returned")
        return Inquiry("gone")


class MemoryGateways:
    def __init__(self, gateways: Iterable[Gateway]) -> None:
        self._gateways = {gateway.name: gateway for gateway in gateways}

    def get(self, name: str) -> Gateway:
        if name not in self._gateways:
            raise ChannelUnavailable()
        return self._gateways[name]

    def default(self) -> str:
        return next(iter(self._gateways))


class MemoryQueue:
    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []

    def send(self, message: dict[str, str], delay_s: int = 0) -> None:
        self.messages.append(message)

    def send_all(self, messages: Sequence[dict[str, str]]) -> None:
        self.messages += messages
