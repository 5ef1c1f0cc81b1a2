"""Routes of one function, and the outermost edge where nothing escapes.

The route key that API Gateway matched chooses the function; the path is never parsed a second time.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from avarez.errors import AvarezError, Forbidden, RouteUnknown
from avarez.http.principal import Principal, principal_of
from avarez.http.problem import problem_document, problem_headers
from avarez.http.request import Request, language_of
from avarez.observability import log, log_failure


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `body` is JSON when a dict or list, text when str, bytes otherwise.

    `outcome` goes to the log line when the status alone says too little.
    """

    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    log_fields: Mapping[str, Any] = field(default_factory=dict)


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None, **log_fields: Any
) -> Response:
    """A JSON answer that no cache keeps, unless `headers` say so."""
    return Response(status, body, {"cache-control": "no-store", **(headers or {})}, log_fields=log_fields)


Endpoint = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: who may call (any of `scopes`), or everyone when `public`.

    With `owner` the API's authorizer lets everyone pass, and the router asks for an owner's token.
    """

    method: str
    path: str
    scopes: tuple[str, ...]
    public: bool
    endpoint: Endpoint
    owner: bool = False


class Router:
    """The routes of one Lambda function."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.routes: dict[str, Route] = {}

    def route(
        self, method: str, path: str, *, scopes: Sequence[str] = (), public: bool = False, owner: bool = False
    ) -> Callable[[Endpoint], Endpoint]:
        """Registers the decorated function for `METHOD /path/{parameter}`."""
        if [bool(scopes), public, owner].count(True) != 1:
            raise ValueError("a route names its scopes, is public or is an owner's, one of the three")

        def register(endpoint: Endpoint) -> Endpoint:
            self.routes[f"{method} {path}"] = Route(
                method, path, tuple(scopes), public or owner, endpoint, owner=owner
            )
            return endpoint

        return register

    def handle(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """The answer to one event, whatever it holds; writes exactly one log line for it."""
        started = time.perf_counter()
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        route_key = str(event.get("routeKey", ""))
        instance = "urn:avarez:request:" + str((event.get("requestContext") or {}).get("requestId", ""))
        principal: Principal | None = None
        error_code = ""
        try:
            route = self.routes.get(route_key)
            if route is None:
                raise RouteUnknown()
            principal = self._admit(route, event)
            response = route.endpoint(Request(event, principal, event.get("pathParameters") or {}))
        except AvarezError as error:
            error_code = error.code
            response = self._refusal(error, headers, instance)
        except Exception:  # noqa: BLE001 - the outermost edge of an HTTP function
            error_code = AvarezError.code
            log_failure("request_failed", route=route_key, function=self.name)
            response = self._refusal(AvarezError(), headers, instance)
        log(
            "request",
            route=route_key,
            function=self.name,
            status=response.status,
            outcome=response.outcome or error_code or "ok",
            caller=principal.username if principal else "",
            group=principal.group if principal else "public",
            api_request_id=instance.rpartition(":")[2],
            lambda_request_id=str(getattr(context, "aws_request_id", "")),
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            **response.log_fields,
        )
        return render(response)

    def _admit(self, route: Route, event: Mapping[str, Any]) -> Principal | None:
        """The caller, when the route asks for one and the caller holds one of its scopes."""
        if route.owner:
            from avarez.http.owner_token import admitted

            return admitted(event.get("headers") or {})
        if route.public:
            return None
        jwt = ((event.get("requestContext") or {}).get("authorizer") or {}).get("jwt") or {}
        principal = principal_of(jwt.get("claims") or {}, jwt.get("scopes"))
        if principal.scopes.isdisjoint(route.scopes):
            raise Forbidden()
        return principal

    def _refusal(self, error: AvarezError, headers: Mapping[str, str], instance: str) -> Response:
        language = language_of(headers)
        return Response(
            error.status,
            problem_document(error, language, instance),
            problem_headers(error, language),
            outcome=error.code,
        )


def render(response: Response) -> dict[str, Any]:
    """The answer in API Gateway's payload format 2.0."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = response.body
    if isinstance(body, dict | list):
        headers.setdefault("content-type", "application/json; charset=utf-8")
        text, encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")), False
    elif isinstance(body, bytes):
        text, encoded = base64.b64encode(body).decode("ascii"), True
    else:
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        text, encoded = body, False
    headers.setdefault("x-content-type-options", "nosniff")
    return {"statusCode": response.status, "headers": headers, "body": text, "isBase64Encoded": encoded}
