"""An API Gateway HTTP API event (payload 2.0), parsed once and bounded in every part."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from avarez.errors import BodyTooLarge, DuplicateKeys, FieldError, InvalidInput, InvalidJson, Unauthorized
from avarez.http.principal import Principal

JSON_BODY_BYTES_MAX = 256 * 1024
"""A JSON body never needs more; rolls and PDFs go their own ways."""
JSON_DEPTH_MAX = 32
_FIELD_ERRORS_MAX = 20

Language = Literal["fa", "en"]
Model = TypeVar("Model", bound=BaseModel)


class Request:
    """One request; `principal` raises `Unauthorized` on a route without a caller."""

    def __init__(self, event: Mapping[str, Any], principal: Principal | None, params: Mapping[str, str]) -> None:
        context = event.get("requestContext") or {}
        http = context.get("http") or {}
        self.method = str(http.get("method", "GET"))
        self.path = str(event.get("rawPath", "/"))
        self.route = str(event.get("routeKey", ""))
        self.headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        self.query = {name: str(value) for name, value in (event.get("queryStringParameters") or {}).items()}
        self.params = {name: unquote(value) for name, value in params.items()}
        self.request_id = str(context.get("requestId", ""))
        self.source_ip = str(http.get("sourceIp", ""))
        self._event = event
        self._principal = principal

    @property
    def principal(self) -> Principal:
        if self._principal is None:
            raise Unauthorized()
        return self._principal

    @property
    def language(self) -> Language:
        return language_of(self.headers)

    @property
    def idempotency_key(self) -> str | None:
        """The header's value, or None; at most 255 printable ASCII characters.

        Raises:
            InvalidInput: longer, or with other characters.
        """
        key = self.headers.get("idempotency-key", "").strip()
        if not key:
            return None
        if len(key) > 255 or not key.isascii() or not key.isprintable():
            raise InvalidInput(
                errors=[
                    FieldError(
                        "/headers/idempotency-key",
                        "key_malformed",
                        "Use at most 255 printable ASCII characters.",
                        "حداکثر ۲۵۵ نویسهٔ چاپی ASCII به کار ببرید.",
                    )
                ]
            )
        return key

    @property
    def raw_body(self) -> bytes:
        """The body's bytes, decoded where the gateway encoded them."""
        body = self._event.get("body") or ""
        if self._event.get("isBase64Encoded"):
            try:
                return base64.b64decode(body, validate=True)
            except (binascii.Error, ValueError) as error:
                raise InvalidJson() from error
        return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)

    def body_json(self, model: type[Model], bytes_max: int = JSON_BODY_BYTES_MAX) -> Model:
        """The body as `model`; `bytes_max` is for the few requests that carry long lists.

        Raises:
            BodyTooLarge, InvalidJson, DuplicateKeys: before anything is looked at.
            InvalidInput: with one entry for each field at fault, at most 20.
        """
        value = parse_json(self.raw_body, bytes_max)
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise InvalidInput(
                errors=[_field_error(fault) for fault in error.errors()[:_FIELD_ERRORS_MAX]]
            ) from None


def language_of(headers: Mapping[str, str]) -> Language:
    """The language asked for; English unless Persian stands first among the two (RFC 9110, 12.5.4)."""
    best: tuple[float, Language] = (0.0, "en")
    for part in headers.get("accept-language", "").lower().split(",")[:16]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        language = tag.split("-")[0]
        if language in ("fa", "en") and quality > best[0]:
            best = (quality, "fa" if language == "fa" else "en")
    return best[1]


def parse_json(raw: bytes, bytes_max: int = JSON_BODY_BYTES_MAX) -> Any:
    """The JSON value of `raw`: UTF-8, no key twice, no NaN or Infinity, bounded in size and depth.

    Raises:
        BodyTooLarge, InvalidJson, DuplicateKeys.
    """
    if len(raw) > bytes_max:
        raise BodyTooLarge(
            f"A JSON body may have at most {bytes_max // 1024} kB.",
            f"حجم JSON حداکثر {bytes_max // 1024} کیلوبایت است.",
        )
    try:
        text = raw.decode("utf-8")
        _refuse_depth(text)
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidJson() from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeys()
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _refuse_depth(text: str) -> None:
    """Counts brackets outside strings, so that a deep body never reaches the recursive parser."""
    depth, inside, escaped = 0, False, False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise ValueError("nested too deeply")
        elif character in "]}":
            depth -= 1


_MESSAGES_FA = {
    "missing": "این فیلد لازم است.",
    "extra_forbidden": "این فیلد شناخته نیست.",
    "string_type": "این فیلد باید متن باشد.",
    "int_type": "این فیلد باید عدد صحیح باشد.",
    "literal_error": "مقدار این فیلد از مقدارهای مجاز نیست.",
    "string_too_long": "این متن بلندتر از حد مجاز است.",
    "string_too_short": "این متن کوتاه‌تر از حد مجاز است.",
    "string_pattern_mismatch": "شکل این مقدار درست نیست.",
}


def _field_error(fault: Any) -> FieldError:
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in fault["loc"])
    kind = str(fault["type"])
    return FieldError(pointer or "", kind, str(fault["msg"]), _MESSAGES_FA.get(kind, "این مقدار معتبر نیست."))
