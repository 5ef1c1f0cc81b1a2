"""The adapter of Zarinpal, version 4: JSON, amounts in rial or toman, the authority is token and reference.

Three of its ways decide what is written here:
1. Verify compares the amount itself; it never tells another one. So `Verified` carries the amount that was asked.
2. Money that nobody verified does not go back by itself. `verify_window` is therefore how long we still take it.
3. `FAILED` means "not completed": a payer may still be on the way, so such a page is gone and not cancelled.

Source: https://www.zarinpal.com/docs/paymentGateway (connectToGateway, errorList, Inquiry, reverse);
https://www.zarinpal.com/blog/unverified for 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.answers import WORD, code_of, masked, object_of, text_of
from functions.pay.gateways.exchange import Patience, post_json
from functions.pay.gateways.port import (
    AmountRefused,
    Claim,
    Inquiry,
    NotPaid,
    NotReversible,
    Reversed,
    ReverseResult,
    Share,
    Token,
    TokenRefused,
    Verified,
    VerifyResult,
    to_units,
    unfit,
)
from functions.pay.gateways.report import Layout, ReportsItsDay

_STATUSES = (200, 400, 401, 403, 404, 422)
"""A refusal comes as JSON with one of these; a server's own failure is no verdict."""
_UNKNOWN_AUTHORITY = (-54, -55)
_REVERSE_REFUSALS: Mapping[int, str] = {
    -54: "not_found",
    -55: "not_found",
    -60: "bank",
    -62: "address_not_registered",
    -63: "window",
}
_STATES: Mapping[str, Literal["open", "paid", "gone", "returned"]] = {
    "IN_BANK": "open",
    "PAID": "paid",
    "VERIFIED": "paid",
    "FAILED": "gone",
    "REVERSED": "returned",
}


class ZarinpalGateway(ReportsItsDay):
    """Zarinpal behind `base_url`; one connection a call, `timeout_ms` for the whole of it."""

    name = "zarinpal"
    can_inquire_without_callback = True
    reverse_window = timedelta(minutes=30)
    """Counted by Zarinpal from the payment, which came before our verify."""

    report_layout = Layout(
        reference="authority",
        amount="amount",
        order_id="order_id",
        state="status",
        states={"PAID": "paid", "VERIFIED": "confirmed", "REVERSED": "returned"},
    )

    def __init__(
        self,
        *,
        merchant_id: str,
        base_url: str = "https://payment.zarinpal.com",
        currency: Literal["IRR", "IRT"] = "IRR",
        description: str = "عوارض سالیانه خودرو",
        page_lifetime_s: int = 900,
        verify_window_s: int = 86_400,
        amount_min_rial: int = 10_000,
        amount_max_rial: int = 1_000_000_000,
        timeout_ms: int = 4_500,
        report_url: str = "",
    ) -> None:
        """`currency` is the unit of the calls: IRR for rial, IRT for toman."""
        self._merchant_id = merchant_id
        self._address = urlsplit(base_url)
        self._base_url = base_url.rstrip("/")
        self._currency = currency
        self._description = description
        self._timeout_ms = timeout_ms
        self.report_url = report_url
        self.rial_per_unit = {"IRR": 1, "IRT": 10}[currency]
        self.page_lifetime = timedelta(seconds=page_lifetime_s)
        self.verify_window = timedelta(seconds=verify_window_s)
        self.amount_min_rial = amount_min_rial
        self.amount_max_rial = amount_max_rial

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        """A page to pay on, or the gateway's refusal.

        Raises:
            ValueError: amount or shares are no whole toman where toman is counted, or do not add up.
            OutcomeUnknown: no readable answer; a page may exist, but nobody can know its address.
        """
        amount = to_units(amount_rial, self.rial_per_unit)
        wages = [
            {
                "iban": share.iban,
                "amount": to_units(share.amount_rial, self.rial_per_unit),
                "description": self._description,
            }
            for share in shares
        ]
        if refused := unfit(self, amount_rial, shares, can_share=True):
            return refused
        members: dict[str, object] = {
            "amount": amount,
            "currency": self._currency,
            "callback_url": callback_url,
            "description": self._description,
            "metadata": {"order_id": order_id},
            **({"wages": wages} if wages else {}),
        }
        code, told = self._call("request", members, Patience(self._timeout_ms))
        if code != 100:
            return TokenRefused(f"code {code}")
        authority = text_of(told, "authority")
        if not WORD.fullmatch(authority):
            raise OutcomeUnknown()
        return Token(authority, f"{self._base_url}/pg/StartPay/{authority}")

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no payment; it never names an amount."""
        order_id, authority = fields.get("payment", ""), fields.get("Authority", "")
        if not WORD.fullmatch(order_id) or not WORD.fullmatch(authority):
            return None
        status = fields.get("Status", "")
        return Claim(
            order_id=order_id,
            token=authority,
            state="paid" if status == "OK" else "cancelled" if status == "NOK" else "other",
            reference=authority if status == "OK" else "",
            amount_rial=None,
            names_amount=False,
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms the money under this authority; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        if reference != token:
            return NotPaid()
        amount = to_units(amount_rial, self.rial_per_unit)
        members = {"amount": amount, "authority": token}
        code, told = self._call("verify", members, Patience(self._timeout_ms))
        match code:
            case 100 | 101:
                return Verified(
                    reference,
                    amount_rial,
                    already=code == 101,
                    tracking=text_of(told, "ref_id"),
                    masked_card=masked(text_of(told, "card_pan")),
                )
            case -50:
                return AmountRefused(None)
            case -51 | -54 | -55:
                return NotPaid()
        # Another merchant's (-53) and the rest say more about our settings than about the money.
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """What became of the page behind `token`; the amount is for verify to compare.

        Raises:
            OutcomeUnknown: no readable answer.
        """
        return self._inquire(token, Patience(self._timeout_ms))

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Sends the money back; a second call tells "never paid" from "reversed before", which share a code.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be on its way.
        """
        if reference != token:
            return NotReversible("not_found")
        patience = Patience(self._timeout_ms)
        code, _ = self._call("reverse", {"authority": token}, patience)
        if code == 100:
            return Reversed(already=False)
        if code == -61:
            before = self._inquire(token, patience).state == "returned"
            return Reversed(already=True) if before else NotReversible("not_paid")
        if code not in _REVERSE_REFUSALS:
            raise OutcomeUnknown()
        return NotReversible(_REVERSE_REFUSALS[code])

    def _inquire(self, token: str, patience: Patience) -> Inquiry:
        code, told = self._call("inquiry", {"authority": token}, patience)
        if code in _UNKNOWN_AUTHORITY:
            return Inquiry("gone")
        state = _STATES.get(text_of(told, "status")) if code == 100 else None
        if state is None:
            raise OutcomeUnknown()
        return Inquiry(state, token if state == "paid" else "")

    def _call(
        self, call: str, members: Mapping[str, object], patience: Patience
    ) -> tuple[int, Mapping[str, object]]:
        """One POST: the code of its answer, and the members beside it."""
        answer = post_json(
            self._address,
            f"/pg/v4/payment/{call}.json",
            {"merchant_id": self._merchant_id, **members},
            timeout_ms=patience.left_ms(),
            statuses=_STATUSES,
        )
        told = object_of(answer, "data") or object_of(answer, "errors")
        return code_of(told, "code"), told
