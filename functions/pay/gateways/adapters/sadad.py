"""The adapter of Sadad: JSON signed with triple DES, amounts in rial, the token is the reference too.

The signature is base64 of 3DES-ECB-PKCS7, which is Sadad's choice: it keeps nothing secret, and only shows that
the caller holds the terminal's key. Sadad wants a number for the order: `orders.order_number`. Nothing can be
asked without a verify, and a verify that was too late says so.

Source: Sadad's public samples, https://github.com/SadadPsp-Lab/PHP (Send.php, Verify.php), and its merchant
document.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote, urlsplit

from avarez.clock import TEHRAN, Clock, SystemClock
from avarez.errors import OutcomeUnknown
from functions.pay.gateways.answers import WORD, code_of, text_of, whole_of
from functions.pay.gateways.exchange import post_json
from functions.pay.gateways.orders import order_number
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

_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{1,80}", re.ASCII)
_BLOCK_BITS = 64
_KEY_BYTES = (16, 24)
"""Two or three keys of DES."""


class SadadGateway(ReportsItsDay):
    """Sadad behind `base_url`; one connection a call, `timeout_ms` for the whole of it."""

    name = "sadad"
    rial_per_unit = 1
    can_inquire_without_callback = False
    reverse_window = None

    report_layout = Layout(reference="Token", amount="Amount", order_id="OrderId", paid_at="Date")
    """Sadad lists what it pays out, and nothing else."""

    def __init__(
        self,
        *,
        merchant_id: str,
        terminal_id: str,
        key: str,
        base_url: str = "https://sadad.shaparak.ir/vpg",
        page_lifetime_s: int = 900,
        verify_window_s: int = 900,
        amount_min_rial: int = 1_000,
        amount_max_rial: int = 2_000_000_000,
        timeout_ms: int = 4_500,
        report_url: str = "",
        clock: Clock | None = None,
    ) -> None:
        """`key` is the terminal's key as Sadad hands it out, in base64.

        Raises:
            ValueError: it is none of triple DES.
        """
        self._merchant_id = merchant_id
        self._terminal_id = terminal_id
        self._key = base64.b64decode(key, validate=True)
        if len(self._key) not in _KEY_BYTES:
            raise ValueError("the terminal's key has another length than one of triple DES")
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
        """A page to pay on, or the gateway's refusal.

        Raises:
            ValueError: the shares do not add up, or the order is no payment of ours.
            OutcomeUnknown: no readable answer; a page may exist, but nobody can know its address.
        """
        if refused := unfit(self, amount_rial, shares, can_share=False):
            return refused
        amount, number = to_units(amount_rial, self.rial_per_unit), order_number(order_id)
        answer = self._call(
            "/api/v0/Request/PaymentRequest",
            {
                "MerchantId": self._merchant_id,
                "TerminalId": self._terminal_id,
                "Amount": amount,
                "OrderId": number,
                "LocalDateTime": self._clock.now().astimezone(TEHRAN).strftime("%m/%d/%Y %I:%M:%S %p"),
                "ReturnUrl": callback_url,
                "SignData": self._sign(f"{self._terminal_id};{number};{amount}"),
            },
        )
        code = code_of(answer, "ResCode")
        if code != 0:
            return TokenRefused(f"code {code}")
        token = text_of(answer, "Token")
        if not _TOKEN.fullmatch(token):
            raise OutcomeUnknown()
        return Token(token, f"{self._base_url}/Purchase?Token={quote(token, safe='')}")

    def read_callback(self, fields: Mapping[str, str]) -> Claim | None:
        """What the callback claims, or None when it names no payment, or two; it never names an amount."""
        order_id, token = fields.get("payment", ""), fields.get("token", "") or fields.get("Token", "")
        if not WORD.fullmatch(order_id) or not _TOKEN.fullmatch(token):
            return None
        if "OrderId" in fields and not _same_order(fields["OrderId"], order_id):
            return None
        code = fields.get("ResCode", "")
        return Claim(
            order_id=order_id,
            token=token,
            state="paid" if code == "0" else "cancelled" if code == "-1" else "other",
            reference=token if code == "0" else "",
            amount_rial=None,
            names_amount=False,
        )

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        """Confirms the money behind this token, whatever its amount; asking again is harmless.

        Raises:
            OutcomeUnknown: no readable answer; the money may or may not be confirmed.
        """
        if reference != token:
            return NotPaid()
        answer = self._call("/api/v0/Advice/Verify", {"Token": token, "SignData": self._sign(token)})
        match code_of(answer, "ResCode"):
            case 0 | 100 as code:
                if not _same_order(text_of(answer, "OrderId"), order_id):
                    raise OutcomeUnknown()
                return Verified(
                    reference,
                    from_units(whole_of(answer, "Amount"), self.rial_per_unit),
                    already=code == 100,
                    tracking=text_of(answer, "RetrivalRefNo"),
                )
            case -1:
                return NotPaid()
            case 101:
                return Returned()
        raise OutcomeUnknown()

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        """Nothing: Sadad has no question that does not confirm.

        Raises:
            OutcomeUnknown: always.
        """
        raise OutcomeUnknown()

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        """Never: verified money goes back by a refund only."""
        return NotReversible("unsupported")

    def _sign(self, signed: str) -> str:
        # Only a deployment with Sadad pays for loading the library.
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
        from cryptography.hazmat.primitives.ciphers import Cipher, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        padder = PKCS7(_BLOCK_BITS).padder()
        padded = padder.update(signed.encode("ascii")) + padder.finalize()
        encryptor = Cipher(TripleDES(self._key), modes.ECB()).encryptor()  # noqa: S305 - the document's own
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def _call(self, path: str, members: Mapping[str, object]) -> dict[str, object]:
        return post_json(self._address, path, members, timeout_ms=self._timeout_ms)


def _same_order(number: str, order_id: str) -> bool:
    try:
        return number == str(order_number(order_id))
    except ValueError:
        return False
