"""The table of entry points and the handlers say the same."""

from __future__ import annotations

import importlib

import pytest

from infra.resources.queues import visibility_timeout_s
from infra.routes import ENTRY_POINTS, EntryPoint, ScheduleTrigger, entry_point

HTTP = [entry for entry in ENTRY_POINTS if entry.routes]


def _id(entry: EntryPoint) -> str:
    return entry.name


@pytest.mark.parametrize("entry", HTTP, ids=_id)
def test_routes_of_the_table_are_those_of_the_handler(entry: EntryPoint) -> None:
    module = importlib.import_module(entry.handler.rsplit(".", 1)[0])
    registered = {key: (None if route.public else route.scopes) for key, route in module.router.routes.items()}
    table = {f"{route.method} {route.path}": route.scope for route in entry.routes}
    assert set(table) == set(registered)
    for key, scope in table.items():
        scopes = registered[key]
        assert (scopes is None and scope is None) or (scopes is not None and scope in scopes), key


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=_id)
def test_handler_is_there(entry: EntryPoint) -> None:
    module, function = entry.handler.rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), function))


def test_names_are_unique() -> None:
    names = [entry.name for entry in ENTRY_POINTS]
    assert len(names) == len(set(names))
    with pytest.raises(KeyError):
        entry_point("nothing")


def test_a_sweep_ends_before_the_next_begins() -> None:
    for entry in ENTRY_POINTS:
        if isinstance(entry.trigger, ScheduleTrigger):
            assert entry.timeout_s < 60 * entry.trigger.every_minutes


def test_a_message_stays_hidden_while_it_is_worked_on() -> None:
    assert visibility_timeout_s("certify") == 6 * entry_point("certify-issue").timeout_s
