"""Every answer that tests see is held against the OpenAPI document, or makes it anew.

`make openapi` runs the tests that call routes with ``AVAREZ_ANSWERS=record``, which begins with nothing; ``widen``
adds what a few tests see to what is written down. Otherwise an answer of a function in this process with a field,
a type or a status that `infra/openapi/answers.json` does not have fails the test that saw it.
"""

from __future__ import annotations

import atexit
import copy
import functools
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from avarez.http import router as routing
from infra.openapi.document import ANSWERS
from infra.openapi.shapes import widened
from infra.routes import ENTRY_POINTS

MODE = os.environ.get("AVAREZ_ANSWERS", "hold")
"""hold, widen or record."""
JSON = "application/json"


class Answers:
    """Shapes by route and status, as they are written down; widened when this run records."""

    def __init__(self) -> None:
        self.shapes: dict[str, dict[str, Any]] = {} if MODE == "record" else json.loads(ANSWERS.read_text("utf-8"))
        self._lock = threading.Lock()
        if MODE != "hold":
            atexit.register(self._write)

    def see(self, route: str, status: int, content_type: str, body: str) -> None:
        """An answer as its caller gets it; refusals are problem documents all and not looked at.

        Raises: AssertionError when the document does not have it.
        """
        if status >= 400:
            return
        with self._lock:
            known = self.shapes.get(route, {}).get(str(status))
            shape = copy.deepcopy(known or {})
            kind = content_type.partition(";")[0]
            schema = shape.setdefault(kind, {})
            if kind == JSON and body:
                shape[kind] = widened(schema, json.loads(body))
            if MODE != "hold":
                self.shapes.setdefault(route, {})[str(status)] = shape
            else:
                assert shape == known, f"{route} answers what its OpenAPI document does not say: make openapi"

    def _write(self) -> None:
        ANSWERS.write_text(json.dumps(self.shapes, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


@functools.cache
def answers() -> Answers:
    """Those of this run."""
    return Answers()


@contextmanager
def answers_held() -> Iterator[None]:
    """While it lasts, answers of the functions in this process are looked at."""
    admit, render = routing.Router._admit, routing.render
    current: list[str] = []

    def admitting(self: routing.Router, route: routing.Route, event: Mapping[str, Any]) -> Any:
        current[:] = [f"{route.method} {route.path}"]
        return admit(self, route, event)

    def rendering(response: routing.Response) -> dict[str, Any]:
        rendered = render(response)
        if current:
            headers = rendered["headers"]
            answers().see(current.pop(), rendered["statusCode"], headers.get("content-type", ""), rendered["body"])
        return rendered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing.Router, "_admit", admitting)
        patch.setattr(routing, "render", rendering)
        yield


def note_call(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """An answer of the running system: recorded, never refused, since what it has depends on time."""
    route = route_of(method, path)
    if MODE != "hold" and route is not None:
        text = body.decode("utf-8") if content_type.partition(";")[0] == JSON else ""
        answers().see(route, status, content_type, text)


def route_of(method: str, path: str) -> str | None:
    """The route that API Gateway would choose; the one with the fewest parameters where several match."""
    for pattern, name in _routes():
        if pattern.fullmatch(f"{method} {path}"):
            return name
    return None


@functools.cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    names = [f"{route.method} {route.path}" for entry in ENTRY_POINTS for route in entry.routes]
    names.sort(key=lambda name: (name.count("{"), name))
    return [(re.compile(_pattern(name)), name) for name in names]


def _pattern(name: str) -> str:
    return re.sub(r"\\\{\w+(\\\+)?\\\}", lambda found: ".+" if found[1] else "[^/]+", re.escape(name))
