"""The transparency log: written by one, read by everybody."""

from __future__ import annotations

from infra.routes.kinds import (
    HTTP_TIMEOUT_S,
    PRINCIPAL,
    BucketGrant,
    EntryPoint,
    KeyGrant,
    QueueTrigger,
    Route,
    ScheduleTrigger,
    TableGrant,
)

_ROWS = ("LOG#*",)
_WRITES = (
    TableGrant(
        "duty", ("BatchWriteItem", "GetItem", "PutItem", "DeleteItem", "Query", "UpdateItem"), leading_keys=_ROWS
    ),
    BucketGrant("log", ("GetObject", "PutObject"), "tile/*"),
    BucketGrant("log", ("GetObject", "PutObject"), "staging/*"),
    BucketGrant("log", ("GetObject", "PutObject"), "checkpoint"),
    KeyGrant(("GetPublicKey", "Sign"), keys="log"),
)
_WRITER_ENVIRONMENT = ("DUTY_TABLE", "LOG_BUCKET", "LOG_KEY_ID", "PUBLIC_ORIGIN")

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="certify-log-sequence",
        handler="functions.certify.log.sequence.handle",
        timeout_s=30,
        memory_mb=1024,
        trigger=QueueTrigger("log", batch_size=10, max_concurrency=2),
        environment=_WRITER_ENVIRONMENT,
        grants=_WRITES,
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-log-sweep",
        handler="functions.certify.log.sweep.handle",
        timeout_s=45,
        memory_mb=1024,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=_WRITER_ENVIRONMENT,
        grants=_WRITES,
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-log-witnesses",
        handler="functions.certify.log.witnesses.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("PUT", "/v1/municipalities/{code}/witness-key", "log.witness"),
            Route("POST", "/v1/municipalities/{code}/checkpoints", "log.witness"),
            Route("GET", "/.well-known/avarez/log/witnesses"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE"),
        grants=(TableGrant("duty", ("GetItem", "PutItem", "Query", "UpdateItem"), leading_keys=_ROWS),),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-log",
        handler="functions.certify.log.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", "/.well-known/avarez/log/checkpoint"),
            Route("GET", "/.well-known/avarez/log/key"),
            Route("GET", "/.well-known/avarez/log/tile/{proxy+}"),
            Route("GET", "/.well-known/avarez/log/proof/{entry}"),
            Route("GET", "/.well-known/avarez/log/proof/{entry}/{size}"),
        ),
        environment=("DUTY_TABLE", "LOG_BUCKET"),
        grants=(
            TableGrant("duty", ("GetItem", "Query"), leading_keys=_ROWS),
            BucketGrant("log", ("GetObject",), "tile/*"),
        ),
        packages=("cryptography",),
    ),
)
