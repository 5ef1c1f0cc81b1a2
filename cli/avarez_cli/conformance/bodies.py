"""Cases of the body: what is new is kept, what is long or slow is read, what is broken is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from avarez.webhooks import BODY_BYTES_MAX
from avarez_cli.conformance.city import body_of
from avarez_cli.conformance.trial import Case, Trial, refused

LARGE_BYTES: Final = BODY_BYTES_MAX - 16 * 1024
TOO_LARGE_BYTES: Final = 4 * 1024 * 1024
QUICK_MS: Final = 5_000
AWKWARD: Final = {
    "z": "last", "a": "first", "Z": "before a", "nested": {"b": [1, True, None, {}, []], "a": ""},
    "text_fa": "گواهیِ «پرداخت» شد؛ ۱۲٬۳۴۵ ریال", "controls": "\"\\/\b\f\n\r\t\u0001\u007f\u2028\u2029",
    "emoji": "🚗", "html": "<a href='x'>&amp;</a>", "largest": 9_007_199_254_740_991, "least": -1,
}  # fmt: skip
"""What RFC 8785 is easily got wrong with: order by code unit, escapes, characters beyond the first plane."""


def _test_message(trial: Trial) -> str:
    body = trial.message("endpoint.test", {"demo": True})
    return trial.taken(trial.send(body, trial.headers(body)), "endpoint.test")


def _unknown_type(trial: Trial) -> str:
    return trial.must_take(trial.city.unknown(trial.now()))


def _unknown_members(trial: Trial) -> str:
    event = trial.city.next(trial.now(), {"new_member": {"of": ["tomorrow"]}})
    body = body_of(event, {"new_beside": True})
    return trial.taken(trial.send(body, trial.headers(body, message_id=event.event_id)), "new members")


def _from_suspense(trial: Trial) -> str:
    """`payment.settled` as any other, and by its postings out of suspense: no gateway's account, no fee."""
    came, settled = trial.city.from_suspense(trial.now())
    return trial.must_take(came) or trial.must_take(settled)


def _awkward_text(trial: Trial) -> str:
    return trial.must_take(trial.city.next(trial.now(), {"awkward": AWKWARD}))


def _large(trial: Trial) -> str:
    return trial.must_take(trial.city.next(trial.now(), {"lines": ["سطر " * 10] * (LARGE_BYTES // 73)}))


def _in_pieces(trial: Trial) -> str:
    event = trial.city.next(trial.now())
    return trial.taken(trial.send(body_of(event), trial.event_headers(event), pieces=3), "in three pieces")


def _charset(trial: Trial) -> str:
    event = trial.city.next(trial.now())
    headers = {**trial.event_headers(event), "content-type": "application/json; charset=utf-8"}
    return trial.taken(trial.send(body_of(event), headers), "with a charset")


def _too_large(trial: Trial) -> str:
    """Four megabytes of somebody who has no secret. To close the connection is an answer as well."""
    body = b" " * TOO_LARGE_BYTES
    headers = trial.headers(b"{}")
    seen = trial.send(body, headers)
    hung = seen.status == 0 and seen.failure == "TimeoutError"
    return f"{seen}" if hung or (seen.status and refused(seen)) else ""


def _signed(body: Callable[[Trial], bytes]) -> Callable[[Trial], str]:
    def run(trial: Trial) -> str:
        sent = body(trial)
        return refused(trial.send(sent, trial.headers(sent)))

    return run


def _media_type(trial: Trial) -> str:
    event = trial.city.draft(trial.now())
    headers = {**trial.event_headers(event), "content-type": "text/plain"}
    return trial.refused(trial.send(body_of(event), headers), event)


def _method(name: str) -> Callable[[Trial], str]:
    def run(trial: Trial) -> str:
        event = trial.city.draft(trial.now())
        seen = trial.send(body_of(event), trial.event_headers(event), method=name)
        return trial.refused(seen, event)

    return run


def _alive(trial: Trial) -> str:
    return trial.must_take(trial.city.next(trial.now()))


def _quick(trial: Trial) -> str:
    slowest_ms = max(trial.taken_ms, default=0)
    return f"the slowest took {slowest_ms} ms" if slowest_ms > QUICK_MS else ""


CASES: Final = (
    Case("test_message", True, "پیام آزمایشی پذیرفته می‌شود", "a test message is taken", _test_message),
    Case("unknown_type", True, "رویدادی از نوع ناشناخته پذیرفته می‌شود", "an event of an unknown type is taken",
         _unknown_type),
    Case("unknown_members", True, "عضوهای ناشناخته پذیرفته می‌شوند", "unknown members are taken", _unknown_members),
    Case("from_suspense", True, "پرداختی که پولش از حساب معلق آمد پذیرفته می‌شود",
         "a payment with money from suspense is taken", _from_suspense),
    Case("awkward_text", True, "نویسه‌های دشوار درست خوانده می‌شوند", "awkward characters are read as they are",
         _awkward_text),
    Case("large", True, "پیام بلند پذیرفته می‌شود", "a long message is taken (240 kB)", _large),
    Case("in_pieces", True, "پیامی که تکه‌تکه می‌رسد", "a message that arrives in pieces is taken", _in_pieces),
    Case("charset", True, "نوع محتوا با charset", "a content type with its charset is taken", _charset),
    Case("too_large", True, "پیام بیش از اندازه بلند رد می‌شود", "four megabytes are refused", _too_large),
    Case("no_json", True, "پیام ناخوانا رد می‌شود", "a signed body that is no JSON is refused",
         _signed(lambda trial: b'{"type":"payment.settled","data":{')),
    Case("no_utf8", True, "متن خراب رد می‌شود", "a signed body that is no UTF-8 is refused",
         _signed(lambda trial: b'{"type":"\xff\xfe","data":{"sequence":1}}')),
    Case("no_event", True, "رویداد ناقص رد می‌شود", "a signed event without its members is refused",
         _signed(lambda trial: trial.message("payment.settled", {"sequence": trial.city.sequence + 1}))),
    Case("media_type", False, "نوع محتوای دیگر رد می‌شود", "another content type is refused", _media_type),
    Case("method_get", False, "روش GET رد می‌شود", "GET is refused", _method("GET")),
    Case("method_put", False, "روش PUT رد می‌شود", "PUT is refused", _method("PUT")),
    Case("alive", True, "پس از همهٔ اینها پیام درست پذیرفته می‌شود", "after all this a good one is taken", _alive),
    Case("quick", False, "پاسخ‌ها در پنج ثانیه", "every good message was answered within five seconds", _quick),
)  # fmt: skip
