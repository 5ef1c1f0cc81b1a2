"""Which calls change what: table writes go to the journal before their answer, other changes mark a checkpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from infra.local.engine_process.checkpoints import Checkpoints
from infra.local.engine_process.journal import TableJournal

READ_ONLY_PREFIXES = ("Describe", "Get", "List", "Query", "Scan", "Batch" + "Get", "Filter", "Lookup")
READ_ONLY_ACTIONS = frozenset(
    {
        "Sign",
        "Verify",
        "Encrypt",
        "Decrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "VerifyMac",
        "GenerateRandom",
        "TransactGetItems",
        "AssumeRole",
    }
)
# Written by item through the journal; every other write to the tables' service is a change of its settings.
ITEM_WRITES = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "ExecuteStatement",
        "BatchExecuteStatement",
    }
)


def action_of(method: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> str:
    """The call's action name, or for REST calls its method."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    action = query.get("Action")
    if action:
        return action[0]
    if body[:64].startswith(b"Action=") or b"&Action=" in body[:4096]:
        for part in body.split(b"&"):
            if part.startswith(b"Action="):
                return part[7:].decode("ascii", "replace")
    return method


def reads_only(action: str) -> bool:
    """Whether a call of this name leaves the service's saved state as it was."""
    return (
        action in ("GET", "HEAD", "OPTIONS")
        or action.startswith(READ_ONLY_PREFIXES)
        or action in READ_ONLY_ACTIONS
    )


def watch_services(engine: Any, dynamodb: Any, journal: TableJournal, checkpoints: Checkpoints) -> None:
    """Every call that changes state is journalled or marked for the next checkpoint."""
    original = dynamodb.handle_request

    async def journalled(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        try:
            return await original(method, path, headers, body, query_params)
        finally:
            if not reads_only(action) and action not in ITEM_WRITES:
                journal.settings_changed = True
            journal.flush()
            if action == "CreateTable":  # the journal's lines are of tables that the snapshot holds
                journal.wait()
                journal.fold()

    dynamodb.handle_request = journalled

    def marking(service: str, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        module = engine.SERVICE_REGISTRY[service]["module"]

        async def handle(
            method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
        ) -> Any:
            try:
                return await handler(method, path, headers, body, query_params)
            finally:
                action = action_of(method, headers, body, query_params)
                invoking = module == "lambda_svc" and path.endswith("/invocations")
                object_call = module == "s3" and path.count("/") > 1 and not path.endswith("/")
                if not reads_only(action) and not invoking and not object_call:
                    checkpoints.mark(module)

        return handle

    for service, handler in list(engine.SERVICE_HANDLERS.items()):
        if service != "dynamodb":
            engine.SERVICE_HANDLERS[service] = marking(service, handler)
