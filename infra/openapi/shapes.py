"""Shapes of answers, as JSON Schema, widened by each answer that was seen."""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]

FIELD = re.compile(r"[a-z][a-z0-9_]*")
"""An object whose keys are all of this form has fields; another is a map from its keys."""

BY_NAME = (
    (re.compile(r"(.*_)?rial"), "Rial"),
    (re.compile(r"(.*_)?jalali"), "JalaliDate"),
    (re.compile(r".*_at"), "Instant"),
)
"""Strings whose meaning is in the name of their field (see the components of the document)."""

NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def widened(schema: Schema, value: Any, name: str = "") -> Schema:
    """The narrowest schema that admits what ``schema`` admits and ``value`` too; ``{}`` admits nothing yet."""
    if isinstance(value, dict):
        return _with_type(_object(schema, value), schema, "object")
    if isinstance(value, list):
        items = schema.get("items", {})
        for element in value:
            items = widened(items, element, name)
        return _with_type({**schema, "items": items}, schema, "array")
    if isinstance(value, str):
        reference = next((kind for pattern, kind in BY_NAME if pattern.fullmatch(name)), None)
        if reference is not None:
            return _with_reference(schema, reference)
    return _with_type(dict(schema), schema, NAMES[type(value)])


def _object(schema: Schema, value: dict[str, Any]) -> Schema:
    known: dict[str, Schema] = schema.get("properties", {})
    if "additionalProperties" in schema or not all(FIELD.fullmatch(key) for key in value):
        values = schema.get("additionalProperties", {})
        for element in value.values():
            values = widened(values, element)
        return {key: part for key, part in schema.items() if key != "required"} | {"additionalProperties": values}
    properties = known | {key: widened(known.get(key, {}), part, key) for key, part in value.items()}
    required = sorted(set(schema["required"]) & set(value) if "required" in schema else value)
    return {**schema, "properties": dict(sorted(properties.items())), "required": required}


def _with_type(made: Schema, before: Schema, kind: str) -> Schema:
    if "$ref" in before:  # once a reference, only null joins it
        return _nullable(before["$ref"]) if kind == "null" else {"type": kind}
    if "anyOf" in before:
        return before
    kinds = before.get("type", [])
    merged = sorted({*(kinds if isinstance(kinds, list) else [kinds]), kind})
    if merged == ["integer", "number"]:
        merged = ["number"]
    return {**made, "type": merged[0] if len(merged) == 1 else merged}


def _with_reference(before: Schema, name: str) -> Schema:
    reference = f"#/components/schemas/{name}"
    if not before or before.get("$ref") == reference:
        return {"$ref": reference}
    return _nullable(reference)


def _nullable(reference: str) -> Schema:
    return {"anyOf": [{"$ref": reference}, {"type": "null"}]}
