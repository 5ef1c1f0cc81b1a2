"""The document itself: OpenAPI 3.1.

Source: OpenAPI Specification 3.1.0; RFC 9457 for refusals.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from avarez.errors import AvarezError
from infra.openapi.endpoints import Endpoint, endpoints
from infra.openapi.shapes import Schema
from infra.routes import SCOPES

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).with_name("answers.json")
"""Shapes of answers by route, status and media type, as tests saw them: ``make openapi`` writes it anew."""
OUT = ROOT / "web" / "docs" / "openapi.json"
PARAMETER = re.compile(r"\{(\w+)\+?\}")
MODELS = "#/components/schemas/"

COMPONENTS: dict[str, Schema] = {
    "Rial": {
        "type": "string",
        "pattern": r"^-?(0|[1-9][0-9]*)$",
        "description": "Whole rial, as a decimal string, so that no client's floating point touches money.",
        "examples": ["2550000"],
    },
    "JalaliDate": {
        "type": "string",
        "pattern": r"^[0-9]{4}[/-][0-9]{2}[/-][0-9]{2}$",
        "description": "A day of the Iranian solar calendar.",
        "examples": ["1405/09/06"],
    },
    "Instant": {"type": "string", "format": "date-time", "description": "RFC 3339, in UTC."},
}

DESCRIPTION = """The national system for the annual vehicle duty of municipalities (عوارض سالیانه خودرو).

Money is a string of whole rial. Every refusal is a problem document (RFC 9457) with a `code`; texts come in
Persian or English by `Accept-Language`. Calls that take an `Idempotency-Key` may be repeated with the same key:
they act once. A token comes from `POST /v1/tokens`."""


def document() -> dict[str, Any]:
    """The whole document, in a fixed order."""
    answers: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text("utf-8")) if ANSWERS.exists() else {}
    paths: dict[str, dict[str, Any]] = {}
    models: dict[str, Schema] = {}
    found = sorted(endpoints(), key=lambda one: (one.entry.folder, one.route.path, one.route.method))
    for endpoint in found:
        path = endpoint.route.path.replace("+}", "}")
        paths.setdefault(path, {})[endpoint.route.method.lower()] = _operation(endpoint, answers, models)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Avarez", "version": project["version"], "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": folder} for folder in dict.fromkeys(one.entry.folder for one in found)],
        "paths": paths,
        "components": {
            "schemas": {**COMPONENTS, "Problem": _problem(), **dict(sorted(models.items()))},
            "responses": {"Problem": _refusal()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Scopes: " + "; ".join(f"`{name}`: {text}" for name, text in SCOPES.items()),
                }
            },
        },
    }


def _operation(
    endpoint: Endpoint, answers: dict[str, dict[str, Any]], models: dict[str, Schema]
) -> dict[str, Any]:
    route = endpoint.route
    summary, _, rest = endpoint.text.partition("\n")
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.entry.folder],
        "summary": summary.strip(),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    operation["security"] = [{"token": [route.scope]}] if route.scope else []
    parameters = _parameters(endpoint)
    if parameters:
        operation["parameters"] = parameters
    body = _body(endpoint, operation["operationId"], models)
    if body:
        operation["requestBody"] = body
    operation["responses"] = _responses(endpoint, answers.get(f"{route.method} {route.path}", {}))
    if route.rate_per_s is not None:
        operation["x-rate-per-second"] = route.rate_per_s
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.route.path.removeprefix("/v1"))
    return "_".join([endpoint.route.method.lower(), *words])


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in PARAMETER.findall(endpoint.route.path)
    ]
    found += [{"name": name, "in": "query", "required": False, "schema": text} for name in endpoint.query]
    if endpoint.takes_idempotency_key:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": endpoint.demands_idempotency_key,
                "schema": {"type": "string", "maxLength": 255},
                "description": "The same key with the same body acts once, and answers what it answered first.",
            }
        )
    return found


def _body(endpoint: Endpoint, operation_id: str, models: dict[str, Schema]) -> dict[str, Any] | None:
    if endpoint.body is not None:
        reference = f"{MODELS}{operation_id}.{{model}}"
        schema = endpoint.body.model_json_schema(ref_template=reference)
        for name, part in schema.pop("$defs", {}).items():
            models[f"{operation_id}.{name}"] = part
        models[f"{operation_id}.{endpoint.body.__name__}"] = schema
        content = {"application/json": {"schema": {"$ref": f"{MODELS}{operation_id}.{endpoint.body.__name__}"}}}
        return {"required": not endpoint.takes_raw_body, "content": content}
    if endpoint.takes_raw_body:
        return {"required": True, "content": {"*/*": {}}}
    return None


def _responses(endpoint: Endpoint, seen: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {str(status): {"description": _describe(status)} for status in endpoint.statuses}
    for status, answer in seen.items():
        content = {kind: {"schema": schema} if schema else {} for kind, schema in answer.items() if kind}
        found[status] = {"description": _describe(int(status)), **({"content": content} if content else {})}
    return dict(sorted(found.items())) | {"default": {"$ref": "#/components/responses/Problem"}}


def _describe(status: int) -> str:
    texts = {200: "As asked.", 201: "Made.", 202: "Taken; it is being worked on.", 204: "Done.", 302: "Elsewhere."}
    return texts.get(status, "See the summary.")


def _problem() -> Schema:
    codes = sorted({kind.code for kind in _kinds(AvarezError)})
    text = {"type": "string"}
    fault = {"type": "object", "properties": {"pointer": text, "code": text, "message": text}}
    return {
        "type": "object",
        "description": "RFC 9457. `docs/errors.md` has every code with its status and what it says.",
        "required": ["type", "status", "code", "title", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": codes},
            "title": text,
            "detail": text,
            "instance": text,
            "errors": {"type": "array", "items": fault},
        },
    }


def _kinds(kind: type[AvarezError]) -> list[type[AvarezError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _kinds(child))]


def _refusal() -> dict[str, Any]:
    schema = {"$ref": f"{MODELS}Problem"}
    return {"description": "A refusal.", "content": {"application/problem+json": {"schema": schema}}}


def rendered() -> str:
    """The document as it is written: one line for each path would be unreadable, so it is indented."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
