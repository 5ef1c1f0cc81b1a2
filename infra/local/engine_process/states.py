"""Saved states of the engine: read whole or refused by name, and fitted to this start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class CorruptState(Exception):
    """A state file cannot be read; carries its path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def write_atomically(path: Path, content: bytes) -> None:
    """The file holds the new content or the old, whole, whatever happens in between."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load_states(engine: Any, persistence: Any, state_dir: Path) -> dict[str, Any]:
    """Every saved state, parsed.

    Raises: CorruptState naming the file that cannot be read.
    """
    states: dict[str, Any] = {}
    for key in engine._state_map:
        path = state_dir / f"{key}.json"
        if not path.exists():
            continue
        try:
            text = path.read_text("utf-8")
            if key == "dynamodb":  # items hold none of the encoder's marks: a hook per item is all cost
                wrapped = json.loads(text)
                payload = wrapped["payload"]
                states[key] = {name: persistence._json_object_hook(part) for name, part in payload.items()}
            else:
                wrapped = json.loads(text, object_hook=persistence._json_object_hook)
                states[key] = wrapped["payload"]
            if wrapped["__ministack_format__"] > persistence._state_format_version(key):
                raise CorruptState(path, "written by a newer engine")
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise CorruptState(path, str(error)) from error
    return states


def queues_at(state: dict[str, Any], sqs: Any) -> None:
    """The saved queues carry this engine's address; an engine on another port would not find them again."""
    queues = state["queues"]._data
    for (account, region, _), queue in list(queues.items()):
        url = sqs._queue_url_for_account(account, queue["name"])
        if url != queue["url"]:
            del queues[account, region, queue["url"]]
            queues[account, region, url] = {**queue, "url": url}


def streams_from_their_start(state: dict[str, Any]) -> None:
    """Stream records live in memory: a saved place in them lies beyond the end of the streams that begin now."""
    state["dynamodb_stream_positions"] = {}


def _loose(items: dict[str, Any]) -> dict[str, Any]:
    """The partitions without their packed rows, which lie in files of their own."""
    parts = {pk: rows.loose() if hasattr(rows, "loose") else rows for pk, rows in items.items()}
    return {pk: rows for pk, rows in parts.items() if rows}


def table_snapshot(dynamodb: Any, persistence: Any) -> bytes:
    """The tables' state as the engine's own file format has it, without its copying."""
    tables = type(dynamodb._tables)()
    for scoped_key, table in dynamodb._tables._data.items():
        whole = {k: v for k, v in table.items() if k != dynamodb._INDEX_MEMBERS}
        tables._data[scoped_key] = {**whole, "items": _loose(table["items"])}
    state: dict[str, Any] = {"tables": tables}
    for name in (
        "tags",
        "ttl_settings",
        "pitr_settings",
        "kinesis_destinations",
        "contributor_insights",
        "backups",
        "resource_policies",
        "exports",
        "imports",
    ):
        state[name] = getattr(dynamodb, f"_{name}")
    version = persistence._state_format_version("dynamodb")
    return json.dumps(
        {"__ministack_format__": version, "payload": state}, default=persistence._json_default
    ).encode()
