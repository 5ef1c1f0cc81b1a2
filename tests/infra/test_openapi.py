"""The OpenAPI document says what the code does: it is made of the code, and answers are held against it.

`tests/answers_seen.py` holds every answer that a contract test sees.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infra.openapi.document import ANSWERS, OUT, document, rendered
from infra.openapi.shapes import widened
from infra.routes import ENTRY_POINTS

DUE = "due: make openapi"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return document()


def test_document_is_that_of_the_code() -> None:
    assert OUT.read_text("utf-8") == rendered(), DUE


def test_document_has_every_route_and_no_other(told: dict[str, Any]) -> None:
    routes = {
        f"{route.method} {route.path.replace('+}', '}')}" for entry in ENTRY_POINTS for route in entry.routes
    }
    assert {f"{method.upper()} {path}" for path, of in told["paths"].items() for method in of} == routes
    names = [operation["operationId"] for of in told["paths"].values() for operation in of.values()]
    assert len(names) == len(set(names))


def test_answers_are_of_routes_that_there_are() -> None:
    routes = {f"{route.method} {route.path}" for entry in ENTRY_POINTS for route in entry.routes}
    assert set(json.loads(ANSWERS.read_text("utf-8"))) <= routes, DUE


def test_document_says_of_nearly_every_route_what_it_answers(told: dict[str, Any]) -> None:
    operations = [operation for of in told["paths"].values() for operation in of.values()]
    silent = [
        operation["operationId"]
        for operation in operations
        if not any("content" in answer for status, answer in operation["responses"].items() if status != "default")
    ]
    assert len(silent) <= len(operations) // 10, silent


def test_schemas_are_schemas_and_references_lead_somewhere(told: dict[str, Any]) -> None:
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for place in set(re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(told))):
        kind, _, name = place.partition("/")
        assert name in told["components"][kind]


def test_shape_widens_by_what_is_seen_and_by_no_more() -> None:
    shape = widened({}, {"owed_rial": "5", "lines": [{"year": 1404}], "note": None})
    assert shape["properties"]["owed_rial"] == {"$ref": "#/components/schemas/Rial"}
    assert shape["required"] == ["lines", "note", "owed_rial"]
    assert widened(shape, {"owed_rial": "7", "lines": [], "note": None}) == shape
    wider = widened(shape, {"owed_rial": None, "lines": [{"year": 1405, "law": "x"}]})
    assert wider["required"] == ["lines", "owed_rial"]
    assert wider["properties"]["owed_rial"]["anyOf"][1] == {"type": "null"}
    assert wider["properties"]["lines"]["items"]["required"] == ["year"]
    assert widened({}, {"1404": "a", "1405": "b"}) == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }
