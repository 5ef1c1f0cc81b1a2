"""Payments and gateways."""

from __future__ import annotations

from infra.routes.kinds import (
    HTTP_TIMEOUT_S,
    PRINCIPAL,
    BucketGrant,
    EntryPoint,
    QueueGrant,
    QueueTrigger,
    Route,
    ScheduleTrigger,
    SecretGrant,
    TableGrant,
)

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="pay-handler",
        handler="functions.pay.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("POST", "/v1/payments", "payments.write"),
            Route("GET", "/v1/payments/{id}", "payments.read"),
            Route("GET", "/v1/payments/{id}/events", "payments.read"),
            Route("POST", "/v1/payments/{id}/cancellations", "payments.write"),
        ),
        environment=(
            *PRINCIPAL,
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "TARIFF_BUCKET",
            "GATEWAYS_SECRET_ARN",
            "VERIFY_PAYMENT_QUEUE_URL",
            "PUBLIC_ORIGIN",
        ),
        grants=(
            TableGrant("duty", ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
            SecretGrant("gateways"),
            QueueGrant("verify-payment"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="pay-callback",
        handler="functions.pay.callback.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("GET", "/v1/callbacks/{gateway}"),
            Route("POST", "/v1/callbacks/{gateway}"),
        ),
        environment=(
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "GATEWAYS_SECRET_ARN",
            "VERIFY_PAYMENT_QUEUE_URL",
            "PUBLIC_ORIGIN",
        ),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
            QueueGrant("verify-payment"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="pay-redirect",
        handler="functions.pay.redirect.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(Route("GET", "/v1/redirects/{gateway}/{token}"),),
        environment=("GATEWAYS_SECRET_ARN",),
        grants=(SecretGrant("gateways"),),
    ),
    EntryPoint(
        name="pay-verify-queue",
        handler="functions.pay.verify_queue.handle",
        timeout_s=60,
        memory_mb=512,
        trigger=QueueTrigger("verify-payment", batch_size=5, max_concurrency=20),
        environment=("DUTY_TABLE", "LEDGER_TABLE", "GATEWAYS_SECRET_ARN", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="pay-sweep",
        handler="functions.pay.sweep.handle",
        timeout_s=55,
        memory_mb=512,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "GATEWAYS_SECRET_ARN", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
        ),
        packages=("cryptography",),
    ),
)
