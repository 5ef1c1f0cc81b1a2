"""What the functions ask of the services, one line of JSON a call or invocation: only when a benchmark wants it.

Write units are the engine's own count (`ReturnConsumedCapacity`), which knows the item before and after. It counts
a read as one unit whatever its size, so read units are counted here, from the items that were answered.
Source: DynamoDB developer guide, "Read and write operations" and "Managing transactions".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.engine_process.watching import action_of

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024
Sized = Callable[[Mapping[str, Any]], int]
Handler = Callable[..., Awaitable[Any]]
"""Of a service: method, path, headers, body, query."""


def read_half_units(action: str, asked: Mapping[str, Any], answered: Mapping[str, Any], size_of: Sized) -> int:
    """Halves of read units, so that they stay whole: for 4 KB 2, 1 eventually consistent, 4 in a transaction.

    What holds no item costs one unit as well; a query is charged for the sum of its items.
    """
    if action == "GetItem":
        return _halves(size_of(answered.get("Item", {})), _weight(asked))
    if action in ("Query", "Scan"):
        return _halves(sum(size_of(item) for item in answered.get("Items", [])), _weight(asked))
    if action == "TransactGetItems":
        return sum(_halves(size_of(one.get("Item", {})), 4) for one in answered.get("Responses", []))
    if action == "BatchGetItem":
        halves = 0
        for table, keys in asked["RequestItems"].items():
            found = answered.get("Responses", {}).get(table, [])
            halves += sum(_halves(size_of(item), _weight(keys)) for item in found)
            halves += _weight(keys) * max(len(keys["Keys"]) - len(found), 0)
        return halves
    return 0


def write_units(action: str, asked: Mapping[str, Any], answered: Mapping[str, Any], size_of: Sized) -> int:
    """Write units: what the engine told, and two for each checked condition, which it does not count.

    A refused write costs what it would have written; where the new item is not known (an update) its least.
    """
    told = answered.get("ConsumedCapacity")
    capacities = told if isinstance(told, list) else [told] if told else []
    units = sum(int(one["CapacityUnits"]) for one in capacities) if _writes(action) else 0
    if action == "TransactWriteItems":
        for one in asked["TransactItems"]:
            (kind, write), *_ = one.items()
            if kind == "ConditionCheck" or not told:
                units += 2 * max(1, -(-size_of(write.get("Item", {})) // WRITE_UNIT_BYTES))
    elif _writes(action) and not told:
        units += max(1, -(-size_of(asked.get("Item", {})) // WRITE_UNIT_BYTES))
    return units


def _writes(action: str) -> bool:
    return action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def _weight(asked: Mapping[str, Any]) -> int:
    return 2 if asked.get("ConsistentRead") else 1


def _halves(size: int, weight: int) -> int:
    return weight * max(1, -(-size // READ_UNIT_BYTES))


class Recorder:
    """Appends lines to one file; `function` is the caller's name, empty for who is no function."""

    def __init__(self, file: Path, sessions: Mapping[str, Mapping[str, Any]]) -> None:
        self._file = open(file, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - the process's own, to its end
        self._sessions = sessions
        self._lock = threading.Lock()

    def write(self, line: Mapping[str, Any]) -> None:
        """One line."""
        with self._lock:
            self._file.write(json.dumps(line) + "\n")

    def caller(self, headers: Mapping[str, str], query: Mapping[str, list[str]]) -> str:
        """The function whose key signed the call, in the header or in a presigned address."""
        signed = headers.get("authorization", "").partition("Credential=")[2] or "".join(
            query.get("X-Amz-Credential", [""])[:1]
        )
        session = self._sessions.get(signed.partition("/")[0].partition("%2F")[0])
        return str(session["Arn"]).rsplit("/", 1)[-1] if session else ""


def record_calls(engine: Any, dynamodb: Any, lambda_svc: Any, recorder: Recorder) -> None:
    """Every call and every invocation from here on is written down. Call it after `watch_services`."""
    dynamodb.handle_request = _counting(dynamodb, recorder)
    for service, handler in list(engine.SERVICE_HANDLERS.items()):
        if service != "dynamodb":
            engine.SERVICE_HANDLERS[service] = _noting(service, handler, recorder)
    lambda_svc._emit_lambda_logs = _noting_invocations(lambda_svc._emit_lambda_logs, recorder)


def _counting(dynamodb: Any, recorder: Recorder) -> Handler:
    """The tables' handler, which asks each call for what it consumed and writes that down."""
    tables = dynamodb.handle_request

    async def counted(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        action = action_of(method, headers, body, query_params)
        asked = json.loads(body or b"{}")
        if action != "ExecuteStatement" and ("Item" in action or action in ("Query", "Scan")):
            body = json.dumps({**asked, "ReturnConsumedCapacity": "TOTAL"}).encode()
        answer = await tables(method, path, headers, body, query_params)
        answered = json.loads(answer[2] or b"{}")
        size_of = dynamodb._item_size_bytes
        recorder.write(
            {
                "function": recorder.caller(headers, query_params),
                "service": "dynamodb",
                "action": action,
                "status": answer[0],
                "writes": len(asked.get("TransactItems", [])),
                "read_half_units": read_half_units(action, asked, answered, size_of) if answer[0] == 200 else 0,
                "write_units": write_units(action, asked, answered, size_of),
            }
        )
        return answer

    return counted


def _noting(service: str, handler: Handler, recorder: Recorder) -> Handler:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        answer = await handler(method, path, headers, body, query_params)
        action = action_of(method, headers, body if service != "s3" else b"", query_params)
        recorder.write(
            {
                "function": recorder.caller(headers, query_params),
                "service": service,
                "action": action,
                "status": answer[0],
                "bytes": len(body),
            }
        )
        return answer

    return handle


def _noting_invocations(emit: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    def emit_and_note(
        func: dict[str, Any], request_id: str, log_text: str, is_error: bool, duration_ms: int, **options: Any
    ) -> Any:
        config = func.get("config") or func
        recorder.write(
            {
                "function": config.get("FunctionName", ""),
                "service": "lambda",
                "action": "invocation",
                "status": 500 if is_error else 200,
                "duration_ms": duration_ms,
                "memory_mb": config.get("MemorySize", 128),
                "log_bytes": len(log_text.encode()),
            }
        )
        return emit(func, request_id, log_text, is_error, duration_ms, **options)

    return emit_and_note
