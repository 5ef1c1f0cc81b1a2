"""The adapter of the sandbox gateway: JSON over HTTP, amounts in rial, page and window of 15 minutes.

Source: `docs/gateways.md`; `tests/contract/gateways/test_sandbox_gateway.py` runs it against the gateway itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from avarez.errors import OutcomeUnknown
from avarez.money import parse_rial
from functions.pay.gateways.answers import WORD, text_of
from functions.pay.gateways.exchange import post_json
from functions.pay.gateways.port import (
    AmountRefused,
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

_REFERENCE_REQUIRED = 9
_ADDRESS_LENGTH_MAX = 2_000
_INQUIRY_STATES: Mapping[str, str] = {
    "open": "open",
    "paid": "paid",
    "verified": "paid",
    "cancelled": "cancelled",
    "expired": "gone",
    "reversed": "returned",
}


class SandboxGateway(ReportsItsDay):
    """The sandbox gateway behind `base_url`; one connection a call, `timeout_ms` for the whole of it."""

    name = "sandbox"
    rial_per_unit = 1
    amount_min_rial = 1_000
    amount_max_rial = 10**15
    """What the sandbox itself takes."""

    report_layout = Layout(
        reference="reference",
        amount="amount",
        order_id="order_id",
        state="state",
        states={"paid": "paid", "verified": "confirmed", "reversed": "returned"},
        paid_at="paid_at",
    )

    def __init__(
        self,
        *,
        base_url: str,
        merchant: str,
        secret: str,
        page_lifetime_s: int = 900,
        verify_window_s: int = 900,
        reverse_window_s: int = 86_400,
        can_inquire_without_callback: bool = True,
        timeout_ms: int = 4_500,
        report_url: str = "",
    ) -> None:
        """`timeout_ms` stays below the five seconds that a callback may wait."""
        self._address = urlsplit(base_url)
        self._merchant = merchant
        self._secret = secret
        self._timeout_ms = timeout_ms
        self.report_url = report_url or f"{base_url.rstrip('/')}/api/report"
        self.page_lifetime = timedelta(seconds=page_lifetime_s)
        self.verify_window = timedelta(seconds=verify_window_s)
        self.reverse_window = timedelta(seconds=reverse_window_s)
        self.can_inquire_without_callback = can_inquire_without_callback

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        """A page to pay on, or the gateway's refusal.

        Raises:
            OutcomeUnknown: no readable answer; a page may exist, but nobody can know its address.
        """
        if refused := unfit(self, amount_rial, shares, can_share=False):
            return refused
        answer = self._call(
            "/api/request",
            {
                "order_id": order_id,
                "amount": str(to_units(amount_rial, self.rial_per_unit)),
                "callback_url": callback_url,
            },
        )
        if _code(answer) != 0:
            return TokenRefused(text_of(answer, "message"))
        token, page_url = text_of(answer, "token"), text_of(answer, "page_url", _ADDRESS_LENGTH_MAX)
        if not WORD.fullmatch(token) or not page_url.startswith(("http://", "https://")):
            raise OutcomeUnknown()
        return Token(token, page_url)

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no order."""
        order_id, token = fields.get("order_id", ""), fields.get("token", "")
        if not WORD.fullmatch(order_id) or not WORD.fullmatch(token):
            return None
        reference = fields.get("reference", "")
        if reference and not WORD.fullmatch(reference):
            reference = ""
        state = fields.get("state", "")
        return Claim(
            order_id=order_id,
            token=token,
            state="paid" if state == "paid" and reference else "cancelled" if state == "cancelled" else "other",
            reference=reference,
            amount_rial=self._amount_or_none(fields.get("amount", "")),
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms the money under `reference`; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        amount = str(to_units(amount_rial, self.rial_per_unit))
        answer = self._call(
            "/api/verify", {"token": token, "reference": reference, "order_id": order_id, "amount": amount}
        )
        match _code(answer):
            case 0 | 1 as code:
                if text_of(answer, "reference") != reference or text_of(answer, "order_id") != order_id:
                    raise OutcomeUnknown()
                return Verified(reference, self._amount(answer), already=code == 1)
            case 2 | 3:
                return NotPaid()
            case 4:
                return Returned()
            case 5:
                return AmountRefused(self._amount(answer))
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """What became of the page behind `token`.

        Raises:
            OutcomeUnknown: no readable answer, or the gateway tells nothing without a reference.
        """
        answer = self._call("/api/inquiry", {"token": token, "order_id": order_id})
        code = _code(answer)
        if code == 3:
            return Inquiry("gone")
        state = _INQUIRY_STATES.get(text_of(answer, "state")) if code == 0 else None
        if state is None or code == _REFERENCE_REQUIRED or text_of(answer, "order_id") != order_id:
            raise OutcomeUnknown()
        if state != "paid":
            return Inquiry(state)  # type: ignore[arg-type]  # the values of the table above
        reference = text_of(answer, "reference")
        if not WORD.fullmatch(reference):
            raise OutcomeUnknown()
        return Inquiry("paid", reference, self._amount(answer))

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Sends the money back; the sandbox does so at any time.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be on its way.
        """
        match _code(self._call("/api/reverse", {"token": token, "reference": reference, "order_id": order_id})):
            case 0 | 4 as code:
                return Reversed(already=code == 4)
            case 2 | 3:
                return NotReversible("not_found")
        raise OutcomeUnknown()

    def _report_query(self) -> Mapping[str, str]:
        return {"merchant": self._merchant, "format": "csv"}

    def _report_headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._secret}"}

    def _amount(self, answer: Mapping[str, object]) -> int:
        amount_rial = self._amount_or_none(text_of(answer, "amount"))
        if amount_rial is None:
            raise OutcomeUnknown()
        return amount_rial

    def _amount_or_none(self, text: str) -> int | None:
        try:
            return from_units(parse_rial(text), self.rial_per_unit)
        except ValueError:
            return None

    def _call(self, path: str, members: Mapping[str, str]) -> dict[str, object]:
        """One POST, its JSON answer; `timeout_ms` is for the whole exchange."""
        return post_json(
            self._address,
            path,
            {"merchant": self._merchant, **members},
            headers={"authorization": f"Bearer {self._secret}"},
            timeout_ms=self._timeout_ms,
        )


def _code(answer: Mapping[str, object]) -> int:
    code = answer.get("code")
    if type(code) is not int:
        raise OutcomeUnknown()
    return code
