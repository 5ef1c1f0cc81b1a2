"""The adapter of Behpardakht Mellat: SOAP, amounts in rial, SaleReferenceId is the reference.

1. Verify names no amount and tells none. The amount was fixed by bpPayRequest for this order number and RefId, so
   `Verified` carries ours. What the callback says of it is compared where the callback is read.
2. bpVerifySettleRequest confirms and settles in one. "Verified before" and "settled before" are its successes: an
   answer that was lost is had by asking again. Money that nobody verified goes back after twenty minutes.
3. The page opens by a form, which a page of ours posts (`functions/pay/returns/redirect.py`).
4. SaleReferenceId comes with the callback only; nothing can be asked without it.

Source: the merchant document of Behpardakht's payment gateway (calls, table of answers), as public plugins carry
it; `docs/gateways.md` names them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from avarez.clock import TEHRAN, Clock, SystemClock
from avarez.errors import OutcomeUnknown
from functions.pay.gateways import soap
from functions.pay.gateways.answers import WORD, whole_or_none
from functions.pay.gateways.exchange import post
from functions.pay.gateways.orders import order_number
from functions.pay.gateways.port import (
    Claim,
    Form,
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
    unfit,
)
from functions.pay.gateways.report import Layout, ReportsItsDay

_NAMESPACE = "http://interfaces.core.sw.bps.com/"
_PATH, _PAGE_PATH = "/pgwchannel/services/pgw", "/pgwchannel/startpay.mellat"
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CODE = re.compile(r"[0-9]{1,4}", re.ASCII)

_CANCELLED = "17"
_CONFIRMED = ("0", "43", "45")
"""Done; verified before; settled before."""
_REVERSED = "48"
_NOT_PAID = (_CANCELLED, "42", "54", "55")
"""Cancelled; no such sale; no such transaction, in two wordings."""
_NOT_REVERSIBLE: Mapping[str, str] = {
    "17": "not_found",
    "42": "not_found",
    "45": "window",
    "54": "not_found",
    "55": "not_found",
}


class BehpardakhtGateway(ReportsItsDay):
    """Behpardakht behind `base_url`; one connection a call, `timeout_ms` for the whole of it."""

    name = "behpardakht"
    rial_per_unit = 1
    can_inquire_without_callback = False
    reverse_window = timedelta(hours=3)

    report_layout = Layout(
        reference="SaleReferenceId",
        amount="Amount",
        order_id="SaleOrderId",
        state="State",
        states={"paid": "paid", "verified": "confirmed", "reversed": "returned"},
        paid_at="Date",
    )

    def __init__(
        self,
        *,
        terminal_id: str,
        user_name: str,
        user_password: str,
        redirect_base: str,
        base_url: str = "https://bpm.shaparak.ir",
        page_lifetime_s: int = 900,
        verify_window_s: int = 1_200,
        amount_min_rial: int = 1_000,
        amount_max_rial: int = 2_000_000_000,
        timeout_ms: int = 4_500,
        report_url: str = "",
        clock: Clock | None = None,
    ) -> None:
        """`redirect_base` is our own public origin, where the page that posts the form is."""
        self._login: Mapping[str, str | int] = {
            "terminalId": terminal_id,
            "userName": user_name,
            "userPassword": user_password,
        }
        self._redirect_base = redirect_base.rstrip("/")
        self._address = urlsplit(base_url)
        self._base_url = base_url.rstrip("/")
        self._timeout_ms = timeout_ms
        self.report_url = report_url
        self._clock = clock or SystemClock()
        self.page_lifetime = timedelta(seconds=page_lifetime_s)
        self.verify_window = timedelta(seconds=verify_window_s)
        self.amount_min_rial = amount_min_rial
        self.amount_max_rial = amount_max_rial

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        """A page of ours that leads to the gateway's, or the gateway's refusal.

        Raises:
            ValueError: the shares do not add up, or the order is no payment of ours.
            OutcomeUnknown: no readable answer; a page may exist, but nobody can know its address.
        """
        if refused := unfit(self, amount_rial, shares, can_share=False):
            return refused
        now = self._clock.now().astimezone(TEHRAN)
        answer = self._call(
            "bpPayRequest",
            {
                "orderId": order_number(order_id),
                "amount": to_units(amount_rial, self.rial_per_unit),
                "localDate": f"{now:%Y%m%d}",
                "localTime": f"{now:%H%M%S}",
                "additionalData": "",
                "callBackUrl": callback_url,
                "payerId": 0,
            },
        )
        code, _, ref_id = answer.partition(",")
        if code == "0" and WORD.fullmatch(ref_id):
            return Token(ref_id, f"{self._redirect_base}/v1/redirects/{self.name}/{ref_id}")
        if code == "0" or not _CODE.fullmatch(code):
            raise OutcomeUnknown()
        return TokenRefused(f"code {code}")

    def form(self, token: str) -> Form:
        """What opens the page behind this token."""
        return Form(self._base_url + _PAGE_PATH, {"RefId": token})

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no payment, or two."""
        order_id, ref_id = fields.get("payment", ""), fields.get("RefId", "")
        if not WORD.fullmatch(order_id) or not WORD.fullmatch(ref_id):
            return None
        if "SaleOrderId" in fields and not _same_order(fields["SaleOrderId"], order_id):
            return None
        reference, code = fields.get("SaleReferenceId", ""), fields.get("ResCode", "")
        paid = code == "0" and _NUMBER.fullmatch(reference) is not None
        amount = whole_or_none(fields.get("FinalAmount", ""))
        return Claim(
            order_id=order_id,
            token=ref_id,
            state="paid" if paid else "cancelled" if code == _CANCELLED else "other",
            reference=reference if paid else "",
            amount_rial=None if amount is None else from_units(amount, self.rial_per_unit),
            # Older terminals leave it out; where it stands, it must be ours.
            names_amount="FinalAmount" in fields,
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms and settles this sale; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        code = self._about("bpVerifySettleRequest", reference, order_id)
        if code in _CONFIRMED:
            return Verified(reference, amount_rial, already=code != "0", tracking=reference)
        if code == _REVERSED:
            return Returned()
        if code in _NOT_PAID:
            return NotPaid()
        # 21, 24, 421 and their like say more about our settings than about the money.
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """Nothing: bpInquiryRequest wants the SaleReferenceId, and then verify tells as much.

        Raises:
            OutcomeUnknown: always.
        """
        raise OutcomeUnknown()

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Sends the money back, within three hours.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be on its way.
        """
        code = self._about("bpReversalRequest", reference, order_id)
        if code in ("0", _REVERSED):
            return Reversed(already=code == _REVERSED)
        if code in _NOT_REVERSIBLE:
            return NotReversible(_NOT_REVERSIBLE[code])
        raise OutcomeUnknown()

    def _about(self, call: str, reference: str, order_id: str) -> str:
        """The code of the answer to a call about one sale."""
        number = order_number(order_id)
        return self._call(call, {"orderId": number, "saleOrderId": number, "saleReferenceId": reference})

    def _call(self, call: str, arguments: Mapping[str, str | int]) -> str:
        answer = post(
            self._address,
            _PATH,
            soap.call(_NAMESPACE, call, {**self._login, **arguments}),
            {"content-type": "text/xml; charset=utf-8", "soapaction": '""'},
            timeout_ms=self._timeout_ms,
        )
        return soap.returned(answer, _NAMESPACE, call)


def _same_order(number: str, order_id: str) -> bool:
    try:
        return number == str(order_number(order_id))
    except ValueError:
        return False
