"""The adapter of Saman Electronic Payment: JSON, amounts in rial, the RefNum of the callback is the reference.

**The same RefNum verifies any number of times, and its answer names no order of ours.** Whoever brings the RefNum
of one payment to another gets a yes. That each RefNum counts once is for us to see to: it is stored as one
payment's own before verify (`payments/verification.py`, obligation 1). "Duplicate" is therefore a success here.

RefNum comes with the callback only, so that a payment whose callback was lost cannot be asked after: nobody
verifies it, and SEP sends the money back after half an hour.

Source: SEP's merchant document of the token gateway (OnlinePG, VerifyTransaction, ReverseTransaction), as its
public plugins carry it; `docs/gateways.md` names them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote, urlsplit

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.answers import (
    WORD,
    code_of,
    masked,
    object_of,
    text_of,
    whole_of,
    whole_or_none,
)
from functions.pay.gateways.exchange import post_json
from functions.pay.gateways.port import (
    Claim,
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

_REFERENCE = re.compile(r"[A-Za-z0-9+/=_-]{1,80}", re.ASCII)
"""RefNum is base64."""
_CANCELLED_STATUS = "1"
_VERIFYING = "/verifyTxnRandomSessionkey/ipg"


class SepGateway(ReportsItsDay):
    """SEP behind `base_url`; one connection a call, `timeout_ms` for the whole of it."""

    name = "sep"
    rial_per_unit = 1
    can_inquire_without_callback = False
    reverse_window = timedelta(minutes=50)

    report_layout = Layout(
        reference="RefNum",
        amount="Amount",
        order_id="ResNum",
        state="State",
        states={"paid": "paid", "verified": "confirmed", "reversed": "returned"},
        paid_at="Date",
    )

    def __init__(
        self,
        *,
        terminal_id: str,
        base_url: str = "https://sep.shaparak.ir",
        purchase_ids: Mapping[str, str] | None = None,
        page_lifetime_s: int = 1_200,
        verify_window_s: int = 1_800,
        amount_min_rial: int = 1_000,
        amount_max_rial: int = 2_000_000_000,
        timeout_ms: int = 4_500,
        report_url: str = "",
    ) -> None:
        """`purchase_ids` holds the deposit id (شناسه واریز) of each account that wants one, by IBAN."""
        self._terminal_id = terminal_id
        self._address = urlsplit(base_url)
        self._base_url = base_url.rstrip("/")
        self._purchase_ids = dict(purchase_ids or {})
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
        if refused := unfit(self, amount_rial, shares, can_share=True):
            return refused
        members: dict[str, object] = {
            "action": "token",
            "TerminalId": self._terminal_id,
            "Amount": to_units(amount_rial, self.rial_per_unit),
            "ResNum": order_id,
            "RedirectUrl": callback_url,
        }
        if shares:
            members["TranType"] = "Government"
            members["SettlementIbanInfo"] = [
                {
                    "IBAN": share.iban,
                    "Amount": to_units(share.amount_rial, self.rial_per_unit),
                    "PurchaseID": self._purchase_ids.get(share.iban, ""),
                }
                for share in shares
            ]
        answer = self._call("/onlinepg/onlinepg", members)
        if code_of(answer, "status") != 1:
            return TokenRefused(f"code {code_of(answer, 'errorCode')}")
        token = text_of(answer, "token")
        if not WORD.fullmatch(token):
            raise OutcomeUnknown()
        return Token(token, f"{self._base_url}/OnlinePG/SendToken?token={quote(token, safe='')}")

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no payment, or two; the token may be missing."""
        order_id, token = fields.get("payment", ""), fields.get("Token", "")
        if not WORD.fullmatch(order_id) or (token and not WORD.fullmatch(token)):
            return None
        if fields.get("ResNum", order_id) != order_id:
            return None
        reference = fields.get("RefNum", "")
        paid = fields.get("State", "") == "OK" and _REFERENCE.fullmatch(reference) is not None
        cancelled = fields.get("State", "") == "CanceledByUser" or fields.get("Status", "") == _CANCELLED_STATUS
        amount = whole_or_none(fields.get("Amount", ""))
        return Claim(
            order_id=order_id,
            token=token or None,
            state="paid" if paid else "cancelled" if cancelled else "other",
            reference=reference if paid else "",
            amount_rial=None if amount is None else from_units(amount, self.rial_per_unit),
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms the money under `reference`, whatever its amount and whosever order; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        answer = self._about(reference, "VerifyTransaction")
        match code_of(answer, "ResultCode"):
            case 0 | 2 as code:
                detail = self._detail(answer, reference)
                return Verified(
                    reference,
                    from_units(whole_of(detail, "OrginalAmount"), self.rial_per_unit),
                    already=code == 2,
                    tracking=text_of(detail, "RRN"),
                    masked_card=masked(text_of(detail, "MaskedPan")),
                )
            case -2:
                return NotPaid()
            case -6 | 5:
                return Returned()
        # -104, -105, -106: the terminal or our address, not the money.
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """Nothing: there is no question without a RefNum.

        Raises:
            OutcomeUnknown: always.
        """
        raise OutcomeUnknown()

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Sends the money back, within 50 minutes of verify.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be on its way.
        """
        answer = self._about(reference, "ReverseTransaction")
        match code_of(answer, "ResultCode"):
            case 0:
                self._detail(answer, reference)
                return Reversed(already=False)
            case 2 | 5:
                return Reversed(already=True)
            case -2:
                return NotReversible("not_found")
            case -6:
                return NotReversible("window")
        raise OutcomeUnknown()

    def _detail(self, answer: Mapping[str, object], reference: str) -> Mapping[str, object]:
        """The transaction that the answer is about: ours, at our terminal, or there is no verdict."""
        detail = object_of(answer, "TransactionDetail")
        if text_of(detail, "RefNum") != reference or text_of(detail, "TerminalNumber") != self._terminal_id:
            raise OutcomeUnknown()
        return detail

    def _about(self, reference: str, call: str) -> dict[str, object]:
        members = {"RefNum": reference, "TerminalNumber": self._terminal_id}
        return self._call(f"{_VERIFYING}/{call}", members)

    def _call(self, path: str, members: Mapping[str, object]) -> dict[str, object]:
        return post_json(self._address, path, members, timeout_ms=self._timeout_ms)
