"""What a handler's source says of its routes: bodies, query, statuses, and whether a key makes it idempotent."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from infra.routes import ENTRY_POINTS, EntryPoint, Route

CALLS_DEEP = 3
"""How far a route's own helpers are followed within their module."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route as its handler has it."""

    entry: EntryPoint
    route: Route
    scopes: tuple[str, ...]
    text: str
    """The docstring."""
    body: type[BaseModel] | None
    takes_raw_body: bool
    query: tuple[str, ...]
    statuses: tuple[int, ...]
    takes_idempotency_key: bool
    demands_idempotency_key: bool


def endpoints() -> Iterator[Endpoint]:
    """Every route of the table, with what its handler's source says of it."""
    for entry in ENTRY_POINTS:
        if not entry.routes:
            continue
        module = importlib.import_module(entry.handler.rpartition(".")[0])
        for route in entry.routes:
            registered = module.router.routes[f"{route.method} {route.path}"]
            yield _read(entry, route, registered.scopes, registered.endpoint)


def _read(entry: EntryPoint, route: Route, scopes: tuple[str, ...], function: Callable[..., Any]) -> Endpoint:
    plain = inspect.unwrap(function)
    module = importlib.import_module(plain.__module__)
    parts = list(_reached(plain, module))
    nodes = [node for part in parts for node in ast.walk(part)]
    return Endpoint(
        entry,
        route,
        scopes,
        inspect.getdoc(plain) or "",
        _body(nodes, module),
        any(isinstance(node, ast.Attribute) and node.attr == "raw_body" for node in nodes),
        tuple(sorted(set(_query(nodes)))),
        tuple(sorted(set(_statuses(nodes)))),
        plain is not function
        or any(isinstance(node, ast.Attribute) and node.attr == "idempotency_key" for node in nodes),
        any(isinstance(node, ast.Name) and node.id == "IdempotencyKeyRequired" for node in nodes),
    )


def _reached(function: Callable[..., Any], module: ModuleType) -> Iterator[ast.AST]:
    """The function, and those of its module that it calls with the request."""
    seen: set[str] = set()
    waiting = [(function, 0)]
    while waiting:
        current, depth = waiting.pop()
        if current.__qualname__ in seen:
            continue
        seen.add(current.__qualname__)
        tree = ast.parse(textwrap.dedent(inspect.getsource(current)))
        yield tree
        for node in ast.walk(tree):
            if depth < CALLS_DEEP and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = getattr(module, node.func.id, None)
                if inspect.isfunction(called) and called.__module__ == module.__name__:
                    waiting.append((called, depth + 1))


def _body(nodes: list[ast.AST], module: ModuleType) -> type[BaseModel] | None:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "body_json":
            name = node.args[0]
            if isinstance(name, ast.Name):
                model: type[BaseModel] = getattr(module, name.id)
                return model
    return None


def _query(nodes: list[ast.AST]) -> Iterator[str]:
    """Names taken out of ``request.query``: by index, by ``get``, or asked for with ``in``."""
    for node in nodes:
        match node:
            case ast.Subscript(value=ast.Attribute(attr="query"), slice=ast.Constant(value=str(name))):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="query"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


def _statuses(nodes: list[ast.AST]) -> Iterator[int]:
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="json_response"), args=[_, ast.Constant(value=int(status)), *_]):
                yield status
            case ast.Call(func=ast.Name(id="Response"), args=[ast.Constant(value=int(status)), *_]):
                yield status
            case ast.Call(func=ast.Name(id="json_response"), args=[_]):
                yield 200
