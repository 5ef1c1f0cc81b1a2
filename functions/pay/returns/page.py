"""Where a payer lands after the gateway: back at the caller's page, or on a plain one of ours."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status

PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}

_PENDING = (
    "نتیجهٔ پرداخت هنوز روشن نشده است. دوباره پرداخت نکنید؛ نتیجه تا چند دقیقهٔ دیگر ثبت می‌شود.",
    "The outcome is not known yet. Do not pay again; it will be recorded within minutes.",
)
_RETURNED = (
    "این پرداخت انجام نشد. اگر مبلغی از حساب شما کم شده باشد، خودبه‌خود بازمی‌گردد.",
    "This payment was not made. If money left your account, it returns by itself.",
)
_WORDS: dict[Status, tuple[str, str]] = {
    Status.SETTLED: (
        "عوارض پرداخت شد. گواهی شما در حال آماده‌سازی است.",
        "The duty is paid. Your certificate is being prepared.",
    ),
    Status.CREATED: _PENDING,
    Status.PENDING: (
        "هنوز پرداختی به ما نرسیده است. اگر پرداخته‌اید دوباره نپردازید: تا چند دقیقهٔ دیگر ثبت می‌شود یا "
        "مبلغ خودبه‌خود بازمی‌گردد. اگر نپرداخته‌اید می‌توانید به صفحهٔ درگاه بازگردید.",
        "No payment has reached us yet. If you paid, do not pay again: it is recorded within minutes, or the "
        "money returns by itself. If you did not, you can go back to the gateway's page.",
    ),
    Status.VERIFYING: _PENDING,
    Status.SUSPENSE: (
        "مبلغ دریافتی با بدهی نمی‌خواند و برای بررسی و بازگرداندن کنار گذاشته شد. دوباره پرداخت نکنید.",
        "The amount received does not match and is held to be examined and returned. Do not pay again.",
    ),
    Status.FAILED: _RETURNED,
    Status.CANCELLED: _RETURNED,
    Status.EXPIRED: _RETURNED,
    Status.REFUNDING: ("مبلغ در حال بازگشت است.", "The money is being returned."),
    Status.REFUNDED: ("مبلغ بازگردانده شد.", "The money was returned."),
}
_UNKNOWN = (
    "پرداختی با این نشانی شناخته نشد. اگر مبلغی از حساب شما کم شده باشد، خودبه‌خود بازمی‌گردد.",
    "No payment is known at this address. If money left your account, it returns by itself.",
)


def told_status(payment: Payment) -> str:
    """The status as the payer's browser is told: `pending` while the outcome is open."""
    return Status.PENDING.value if payment.status is Status.VERIFYING else payment.status.value


def return_address(payment: Payment) -> str:
    """The caller's `return_url` with `payment_id` and `status` in its query, whatever else stands there."""
    parts = urlsplit(payment.return_url)
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in ("payment_id", "status")
    ]
    query += [("payment_id", payment.payment_id), ("status", told_status(payment))]
    return urlunsplit(parts._replace(query=urlencode(query)))


def plain_page(payment: Payment | None) -> str:
    """What became of the payment, in Persian and English; it holds no text that came from outside."""
    return _page(_UNKNOWN) if payment is None else _page(_WORDS[payment.status], payment.payment_id)


def busy_page() -> str:
    """The page when our own store could not be read: nothing is known, and nothing is lost."""
    return _page(_PENDING)


def _page(words: tuple[str, str], payment_id: str = "") -> str:
    """A page that needs nothing else."""
    persian, english = words
    number = f"<p dir=ltr><code>{payment_id}</code></p>" if payment_id else ""
    return (
        '<!doctype html><html lang="fa" dir="rtl"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<title>نتیجهٔ پرداخت · Payment</title>"
        "<style>body{font:1.1rem/1.9 Vazirmatn,Tahoma,sans-serif;max-width:36rem;margin:12vh auto;"
        "padding:0 1.5rem;color:#1b2733;background:#f6f8fa}code{font-size:.85rem}</style>"
        f'<h1>نتیجهٔ پرداخت</h1><p>{persian}</p><p lang="en" dir="ltr">{english}</p>{number}</html>'
    )
