"""Refusals that no function of ours wrote, as problem documents (RFC 9457) in the language asked for.

The HTTP API answers a missing or foreign token, and an unknown route, with words of its own that nothing there can
change. CloudFront runs `handle` on each answer of the API (Lambda@Edge, origin response) and the local edge calls
`document`. The file is deployed as it stands: it imports nothing of ours, and has at most 4,096 characters.
"""

import json
from typing import Any

PROBLEMS = {
    400: ("bad_request", "The request cannot be read.", "درخواست خوانا نیست."),
    401: ("unauthorized", "Sign in first.", "نخست وارد شوید."),
    403: ("forbidden", "Your account may not do this.", "حساب شما اجازهٔ این کار را ندارد."),
    404: ("route_unknown", "There is nothing at this address.", "چیزی در این نشانی نیست."),
    405: ("method_not_allowed", "This address does not take that method.", "این نشانی چنین روشی را نمی‌پذیرد."),
    408: ("request_timeout", "The request did not arrive in time.", "درخواست به‌موقع نرسید."),
    413: ("body_too_large", "The request is too large for this address.", "درخواست برای این نشانی بزرگ است."),
    414: ("uri_too_long", "The address is too long.", "نشانی بیش از اندازه بلند است."),
    421: ("misdirected_request", "This name is not served here.", "این نام در اینجا پاسخ داده نمی‌شود."),
    429: (
        "too_many_requests",
        "Too many requests from this address. Wait a few minutes.",
        "درخواست‌های این نشانی بیش از اندازه است. چند دقیقه صبر کنید.",
    ),
    503: (
        "service_busy",
        "The service is not ready. Try again shortly.",
        "سامانه آماده نیست. اندکی بعد دوباره بکوشید.",
    ),
    504: (
        "outcome_unknown",
        "No answer came in time; the request may have taken effect. Ask for its state before repeating it.",
        "پاسخ به‌موقع نرسید؛ شاید درخواست انجام شده باشد. پیش از تکرار، وضعیت آن را بپرسید.",
    ),
}
OTHER = (
    "internal_error",
    "Something went wrong on our side; please try again.",
    "خطایی رخ داد؛ دوباره تلاش کنید.",
)
MEDIA_TYPE = "application/problem+json"


def language_of(accept_language: str) -> str:
    """`fa` when Persian stands before English in the header, else `en`."""
    tags = [part.strip()[:2] for part in accept_language.lower().split(",")[:16]]
    return next((tag for tag in tags if tag in ("fa", "en")), "en")


def document(status: int, language: str, request_id: str) -> dict[str, Any]:
    """The problem document for a status."""
    code, english, persian = PROBLEMS.get(status, OTHER)
    text = persian if language == "fa" else english
    return {
        "type": f"urn:avarez:problem:{code}",
        "status": status,
        "code": code,
        "title": text,
        "detail": text,
        "instance": f"urn:avarez:request:{request_id}",
    }


def is_foreign(status: int, content_type: str) -> bool:
    """Whether an answer of the API is a refusal in words that are not ours."""
    return status >= 400 and not content_type.startswith(MEDIA_TYPE)


def handle(event: Any, context: object) -> Any:
    """The Lambda@Edge entry point. Source: CloudFront developer guide, Lambda@Edge event structure."""
    exchange = event["Records"][0]["cf"]
    response = exchange["response"]

    def header(of: Any, name: str) -> str:
        values = of["headers"].get(name)
        return str(values[0]["value"]) if values else ""

    status = int(response["status"])
    if is_foreign(status, header(response, "content-type")):
        language = language_of(header(exchange["request"], "accept-language"))
        body = document(status, language, header(response, "apigw-requestid"))
        response["body"] = json.dumps(body, ensure_ascii=False)
        response["headers"]["content-type"] = [{"key": "Content-Type", "value": MEDIA_TYPE}]
        response["headers"]["content-language"] = [{"key": "Content-Language", "value": language}]
        response["headers"].pop("content-length", None)
    return response
