"""Cases of the signature: who may speak. Everything here but the good ones must be refused, and change nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from avarez.canonical import canonical_bytes
from avarez.ids import new_id
from avarez.webhooks import SECRET_PREFIX
from avarez_cli.conformance.city import body_of
from avarez_cli.conformance.trial import Case, NotChecked, Trial, refused

LATE: Final = timedelta(minutes=10)
"""Twice what the standard allows, so that no clock's error decides."""
_TO_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def _challenge(trial: Trial) -> str:
    text = new_id("ch", trial.now())
    body = trial.message("endpoint.challenge", {"challenge": text})
    seen = trial.send(body, trial.headers(body))
    if wrong := trial.taken(seen, "the challenge"):
        return wrong
    try:
        told = json.loads(seen.body)
    except ValueError:
        told = None
    return "" if isinstance(told, dict) and told.get("challenge") == text else "the answer does not repeat it"


def _challenge_forged(trial: Trial) -> str:
    text = new_id("ch", trial.now())
    body = trial.message("endpoint.challenge", {"challenge": text})
    seen = trial.send(body, trial.headers(body, secrets=[_stranger()]))
    return "the answer repeats it" if text.encode() in seen.body else refused(seen)


def _good(trial: Trial) -> str:
    return trial.must_take(trial.city.next(trial.now()))


def _headers_in_capitals(trial: Trial) -> str:
    event = trial.city.next(trial.now())
    headers = {name.upper(): value for name, value in trial.event_headers(event).items()}
    return trial.taken(trial.send(body_of(event), headers), "capitals")


def _rotation(*, ours_first: bool) -> Callable[[Trial], str]:
    def run(trial: Trial) -> str:
        event = trial.city.next(trial.now())
        signed_by = [trial.secrets[0], _stranger()] if ours_first else [_stranger(), trial.secrets[0]]
        return trial.taken(trial.send(body_of(event), trial.event_headers(event, secrets=signed_by)), "two")

    return run


def _second_secret(trial: Trial) -> str:
    if len(trial.secrets) < 2:
        raise NotChecked("a second line in --secret, known to the endpoint as well")
    event = trial.city.next(trial.now())
    return trial.taken(trial.send(body_of(event), trial.event_headers(event, secrets=trial.secrets[1:2])), "new")


def _header(name: str, change: Callable[[str], str | bytes | None]) -> Callable[[Trial], str]:
    """A message with one header changed, or left out."""

    def run(trial: Trial) -> str:
        event = trial.city.draft(trial.now())
        headers: dict[str, str | bytes] = dict(trial.event_headers(event))
        changed = change(str(headers.pop(name)))
        if changed is not None:
            headers[name] = changed
        return trial.refused(trial.send(body_of(event), headers), event)

    return run


def _secret_wrong(trial: Trial) -> str:
    event = trial.city.draft(trial.now())
    return trial.refused(trial.send(body_of(event), trial.event_headers(event, secrets=[_stranger()])), event)


def _body_changed(trial: Trial) -> str:
    event = trial.city.draft(trial.now())
    other = canonical_bytes({"type": event.data["type"], "timestamp": "", "data": event.data})
    return trial.refused(trial.send(other, trial.event_headers(event)), event)


def _late(late: timedelta) -> Callable[[Trial], str]:
    def run(trial: Trial) -> str:
        event = trial.city.draft(trial.now())
        return trial.refused(trial.send(body_of(event), trial.event_headers(event, late=late)), event)

    return run


def _persian_digits(trial: Trial) -> str:
    """Signed over these very digits: who reads them as a number takes what no two programs read alike."""
    event = trial.city.draft(trial.now())
    body = body_of(event)
    seconds = str(int(trial.now().timestamp())).translate(_TO_PERSIAN)
    key = base64.b64decode(trial.secrets[0].removeprefix(SECRET_PREFIX))
    mac = hmac.new(key, f"{event.event_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    headers: dict[str, str | bytes] = {**trial.event_headers(event), "webhook-timestamp": seconds.encode()}
    headers["webhook-signature"] = f"v1,{base64.b64encode(mac).decode()}"
    return trial.refused(trial.send(body, headers), event)


def _stranger() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _other_digit(signature: str) -> str:
    first = signature[3]
    return f"v1,{'A' if first != 'A' else 'B'}{signature[4:]}"


ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
CASES: Final = (
    Case("challenge", True, "پاسخ به پیام آزمونِ نشانی", "the challenge is repeated", _challenge),
    Case(
        "challenge_forged", True, "آزمونِ نشانی با امضای نادرست رد می‌شود", "a forged challenge is not repeated",
        _challenge_forged,
    ),
    Case("good", True, "پیام درست پذیرفته می‌شود", "a good message is taken", _good),
    Case(
        "headers_in_capitals", True, "نام سرآیندها با حروف بزرگ", "headers' names in capitals are the same names",
        _headers_in_capitals,
    ),
    Case("rotation_ours_first", True, "دو امضا، امضای ما نخست", "two signatures, the known one first",
         _rotation(ours_first=True)),
    Case("rotation_ours_last", True, "دو امضا، امضای ما دوم", "two signatures, the known one last",
         _rotation(ours_first=False)),
    Case("rotation_second_secret", True, "امضا با رمز دوم", "a message by the second secret", _second_secret),
    Case("signature_wrong", True, "امضای نادرست رد می‌شود", "a wrong signature is refused",
         _header(SIGNATURE, _other_digit)),
    Case("signature_short", True, "امضای ناقص رد می‌شود", "half a signature is refused",
         _header(SIGNATURE, lambda text: text[: len(text) // 2])),
    Case("signature_empty", True, "امضای خالی رد می‌شود", "an empty signature is refused",
         _header(SIGNATURE, lambda text: "v1,")),
    Case("signature_unreadable", True, "امضای ناخوانا رد می‌شود", "a signature that is no base64 is refused",
         _header(SIGNATURE, lambda text: b"v1,%%%%")),
    Case("signature_version", True, "امضای نسخهٔ ناشناخته رد می‌شود", "a signature of another version is refused",
         _header(SIGNATURE, lambda text: text.replace("v1,", "v9,"))),
    Case("signature_missing", True, "پیام بی‌امضا رد می‌شود", "a message without a signature is refused",
         _header(SIGNATURE, lambda text: None)),
    Case("secret_wrong", True, "امضا با رمز دیگری رد می‌شود", "another's secret is refused", _secret_wrong),
    Case("body_changed", True, "پیام دست‌خورده رد می‌شود", "a body that was changed is refused", _body_changed),
    Case("id_changed", True, "شناسهٔ دست‌خورده رد می‌شود", "an id that was changed is refused",
         _header(ID, lambda text: f"{text}x")),
    Case("id_missing", True, "پیام بی‌شناسه رد می‌شود", "a message without an id is refused",
         _header(ID, lambda text: None)),
    Case("timestamp_changed", True, "زمان دست‌خورده رد می‌شود", "a time that was changed is refused",
         _header(TIME, lambda text: str(int(text) - 1))),
    Case("timestamp_missing", True, "پیام بی‌زمان رد می‌شود", "a message without a time is refused",
         _header(TIME, lambda text: None)),
    Case("timestamp_in_words", True, "زمان ناخوانا رد می‌شود", "a time in words is refused",
         _header(TIME, lambda text: "yesterday")),
    Case("timestamp_persian", True, "زمان با رقم‌های فارسی رد می‌شود", "a time in Persian digits is refused",
         _persian_digits),
    Case("timestamp_old", True, "پیام ده‌دقیقه پیش رد می‌شود", "ten minutes ago is refused", _late(LATE)),
    Case("timestamp_future", True, "پیام ده‌دقیقه بعد رد می‌شود", "a message of ten minutes ahead is refused",
         _late(-LATE)),
)  # fmt: skip
"""In the order in which they run: the good ones begin the chain."""
