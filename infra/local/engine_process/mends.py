"""Where the engine answers otherwise than AWS, and a template written for AWS would fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

BATCHES_AT_ONCE = 8
"""Of a first-in-first-out queue, while they are new: a process each, which two cores can bear."""
WAITING_AFTER_S = 1.0
"""A batch that takes longer waits for somebody, and leaves the cores to another one."""
BATCHES_MAX = 64
"""Whatever a mapping allows: its batches are processes of one machine here."""
QUEUE_WRITES = (
    "SendMessage",
    "SendMessageBatch",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "PurgeQueue",
)


def secret_by_arn(handlers: dict[str, dict[str, Any]]) -> None:
    """A secret's `Ref` is its ARN, as on AWS; the engine gives the name, which no policy can name.

    Source: AWS CloudFormation user guide, AWS::SecretsManager::Secret, return values.
    """
    handler = handlers["AWS::SecretsManager::Secret"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name_in(identifier: str) -> str:
        return identifier.partition(":secret:")[2][:-7] if identifier.startswith("arn:") else identifier

    def create_by_arn(*arguments: Any, **options: Any) -> Any:
        _, attributes = create(*arguments, **options)
        return attributes["Arn"], attributes

    def update_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        _, attributes = update(name_in(identifier), *arguments, **options)
        return attributes["Arn"], attributes

    def delete_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        return delete(name_in(identifier), *arguments, **options)

    handler.update(create=create_by_arn, update=update_by_arn, delete=delete_by_arn)


def batches_as_single_actions(iam_actions: Any) -> None:
    """A batch call to a queue needs the right to the single call; the engine wants an action that IAM lacks.

    Source: Service authorization reference, actions of Amazon SQS: there is no SendMessageBatch.
    """
    extract = iam_actions.extract_iam_action

    def extract_single(*arguments: Any, **options: Any) -> Any:
        action = extract(*arguments, **options)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single


def groups_side_by_side(lambda_svc: Any, sqs: Any) -> None:
    """The groups of a first-in-first-out queue are worked on side by side, as on AWS; the engine has them wait.

    The queue itself gives no message of a group while another one of it is under way, so the order of each group
    holds. New batches begin while `BATCHES_AT_ONCE` are younger than a second, and beside all those that are
    older: one that waits for a slow endpoint holds up nobody, and a burst does not start a process for each city.
    Source: Lambda developer guide, "Using Lambda with Amazon SQS", "Maximum concurrency" and "FIFO queues".
    """
    limit_of, dispatch = lambda_svc._sqs_esm_concurrency, lambda_svc._dispatch_esm_batch
    begun: dict[str, dict[object, float]] = {}
    guard = threading.Lock()

    def limit(esm: dict[str, Any], func: Any, config: Any, queue: dict[str, Any] | None = None) -> int:
        allowed: int = limit_of(esm, func, config)  # without the queue: its rule is that such a one has one batch
        if not (queue or {}).get("is_fifo"):
            return allowed
        since = time.monotonic() - WAITING_AFTER_S
        with guard:
            waiting = sum(at < since for at in begun.get(esm["UUID"], {}).values())
        return min(allowed, BATCHES_AT_ONCE + waiting, BATCHES_MAX)

    def dispatch_timed(mapping: str, run: Callable[..., Any], *arguments: Any) -> None:
        batch = object()
        with guard:
            begun.setdefault(mapping, {})[batch] = time.monotonic()

        def timed(*of: Any) -> None:
            try:
                run(*of)
            finally:
                with guard:
                    del begun[mapping][batch]

        dispatch(mapping, timed, *arguments)

    lambda_svc._sqs_esm_concurrency, lambda_svc._dispatch_esm_batch = limit, dispatch_timed
    _one_at_a_time(sqs)


def _one_at_a_time(sqs: Any) -> None:
    """Calls and poller change a queue one after the other: else what is sent while another one sweeps is lost."""
    lock = threading.RLock()
    sqs._queues_lock = lock

    def locked(call: Callable[..., Any]) -> Callable[..., Any]:
        def one_at_a_time(*arguments: Any) -> Any:
            with lock:
                return call(*arguments)

        return one_at_a_time

    for name in ("_collect_msgs", "_dlq_sweep", "_expire_retained", "_refresh_counts"):
        setattr(sqs, name, locked(getattr(sqs, name)))
    for action in QUEUE_WRITES:
        sqs._HANDLERS[action] = locked(sqs._HANDLERS[action])
