"""The adapter of Zibal: JSON, amounts in rial, the track id is token and reference.

Its verify is not told our amount: it confirms whatever was paid, and says how much. Another amount is `Verified`
with that amount, and the caller puts it to suspense. "Already verified" comes without an amount; an inquiry in the
time that is left then tells it. The sandbox of Zibal itself is the merchant "zibal".

Source: https://help.zibal.ir/IPG/API (request, verify, inquiry, tables of results and statuses).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.answers import WORD, code_of, masked, text_of, whole_of
from functions.pay.gateways.exchange import Patience, post_json
from functions.pay.gateways.port import (
    Claim,
    Inquiry,
    NotPaid,
    NotReversible,
    Returned,
    ReverseResult,
    Share,
    Token,
    TokenRefused,
    Verified,
    VerifyResult,
    from_units,
    to_units,
    unfit,
)
from functions.pay.gateways.report import Layout, ReportsItsDay

_TRACK_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_PAID = (1, 2)
"""Statuses: verified, paid and not verified."""
_OPEN, _CANCELLED = -1, 3
_FAILED = range(4, 13)
"""Reasons why a card was not charged; the payer may have tried again, so the page is gone and not cancelled."""
_RETURNED = (15, 16, 18)
"""Refunded, being refunded, reversed."""


class ZibalGateway(ReportsItsDay):
    """Zibal behind `base_url`; `timeout_ms` for the whole of a call."""

    name = "zibal"
    rial_per_unit = 1
    can_inquire_without_callback = True
    reverse_window = None

    report_layout = Layout(
        reference="trackId",
        amount="amount",
        order_id="orderId",
        state="status",
        states={"1": "confirmed", "2": "paid", "15": "returned", "16": "returned", "18": "returned"},
        paid_at="paidAt",
        delimiter=";",
    )

    def __init__(
        self,
        *,
        merchant: str,
        base_url: str = "https://gateway.zibal.ir",
        description: str = "عوارض سالیانه خودرو",
        page_lifetime_s: int = 900,
        verify_window_s: int = 1_800,
        amount_min_rial: int = 1_000,
        amount_max_rial: int = 1_000_000_000,
        timeout_ms: int = 4_500,
        report_url: str = "",
    ) -> None:
        self._merchant = merchant
        self._address = urlsplit(base_url)
        self._base_url = base_url.rstrip("/")
        self._description = description
        self._timeout_ms = timeout_ms
        self.report_url = report_url
        self.page_lifetime = timedelta(seconds=page_lifetime_s)
        self.verify_window = timedelta(seconds=verify_window_s)
        self.amount_min_rial = amount_min_rial
        self.amount_max_rial = amount_max_rial

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        """A page to pay on, or the gateway's refusal.

        Raises:
            ValueError: the shares do not add up.
            OutcomeUnknown: no readable answer; a page may exist, but nobody can know its address.
        """
        if refused := unfit(self, amount_rial, shares, can_share=False):
            return refused
        answer = self._call(
            "request",
            {
                "amount": to_units(amount_rial, self.rial_per_unit),
                "callbackUrl": callback_url,
                "orderId": order_id,
                "description": self._description,
            },
            Patience(self._timeout_ms),
        )
        result = code_of(answer, "result")
        if result != 100:
            return TokenRefused(f"result {result}")
        track_id = text_of(answer, "trackId")
        if not _TRACK_ID.fullmatch(track_id):
            raise OutcomeUnknown()
        return Token(track_id, f"{self._base_url}/start/{track_id}")

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no payment, or two; it never names an amount."""
        order_id, track_id = fields.get("payment", ""), fields.get("trackId", "")
        if not WORD.fullmatch(order_id) or not _TRACK_ID.fullmatch(track_id):
            return None
        if fields.get("orderId", order_id) != order_id:
            return None
        success = fields.get("success", "")
        return Claim(
            order_id=order_id,
            token=track_id,
            state="paid" if success == "1" else "cancelled" if success == "0" else "other",
            reference=track_id if success == "1" else "",
            amount_rial=None,
            names_amount=False,
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms the money under this track id, whatever its amount; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        if reference != token:
            return NotPaid()
        patience = Patience(self._timeout_ms)
        answer = self._call("verify", {"trackId": int(token)}, patience)
        match code_of(answer, "result"):
            case 100:
                return self._verified(answer, reference, order_id, already=False)
            case 201:
                told = answer if "amount" in answer else self._inquiry(token, patience)
                if "status" in told and code_of(told, "status") in _RETURNED:
                    return Returned()
                return self._verified(told, reference, order_id, already=True)
            case 202 if "status" in answer and code_of(answer, "status") in _RETURNED:
                return Returned()
            case 202 | 203:
                return NotPaid()
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """What became of the page behind `token`.

        Raises:
            OutcomeUnknown: no readable answer, or one about another order.
        """
        answer = self._inquiry(token, Patience(self._timeout_ms))
        if code_of(answer, "result") == 203:
            return Inquiry("gone")
        self._check_order(answer, order_id)
        status = code_of(answer, "status")
        if status in _PAID:
            return Inquiry("paid", token, from_units(whole_of(answer, "amount"), self.rial_per_unit))
        if status == _OPEN:
            return Inquiry("open")
        if status == _CANCELLED:
            return Inquiry("cancelled")
        if status in _RETURNED:
            return Inquiry("returned")
        if status in _FAILED:
            return Inquiry("gone")
        raise OutcomeUnknown()

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Never: Zibal's refunds are asked for in its panel."""
        return NotReversible("unsupported")

    def _verified(self, answer: Mapping[str, object], reference: str, order_id: str, *, already: bool) -> Verified:
        self._check_order(answer, order_id)
        return Verified(
            reference,
            from_units(whole_of(answer, "amount"), self.rial_per_unit),
            already,
            tracking=text_of(answer, "refNumber"),
            masked_card=masked(text_of(answer, "cardNumber")),
        )

    def _check_order(self, answer: Mapping[str, object], order_id: str) -> None:
        """An answer about another order is none; where it names no order, the track id is ours all the same."""
        if text_of(answer, "orderId") not in ("", order_id):
            raise OutcomeUnknown()

    def _inquiry(self, token: str, patience: Patience) -> Mapping[str, object]:
        answer = self._call("inquiry", {"trackId": int(token)}, patience)
        if code_of(answer, "result") not in (100, 203):
            raise OutcomeUnknown()
        return answer

    def _call(self, call: str, members: Mapping[str, object], patience: Patience) -> Mapping[str, object]:
        return post_json(
            self._address,
            f"/v1/{call}",
            {"merchant": self._merchant, **members},
            timeout_ms=patience.left_ms(),
        )
