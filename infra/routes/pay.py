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
            Route("GET", "/v1/payments/{id}/parts", "payments.read"),
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
            TableGrant(
                "duty", ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")
            ),
            TableGrant("ledger", ("PutItem",)),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
            SecretGrant("gateways"),
            QueueGrant("verify-payment"),
        ),
    ),
    EntryPoint(
        name="pay-refunds",
        handler="functions.pay.refunds.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("POST", "/v1/payments/{id}/refunds", "refunds.write"),
            Route("GET", "/v1/refunds/{id}", "refunds.read"),
            Route("GET", "/v1/municipalities/{code}/refunds", "refunds.read"),
            Route("POST", "/v1/refunds/{id}/approvals", "refunds.approve"),
            Route("POST", "/v1/refunds/{id}/rejections", "refunds.approve"),
            Route("POST", "/v1/refunds/{id}/transfers", "refunds.approve"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "GATEWAYS_SECRET_ARN", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
        ),
    ),
    EntryPoint(
        name="pay-bank-files",
        handler="functions.pay.bank_files.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("POST", "/v1/bank-files", "bank-files.write"),
            Route("GET", "/v1/bank-files/{id}", "bank-files.read"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "BANK_FILE_QUEUE_URL"),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "Query")),
            QueueGrant("bank-file"),
        ),
    ),
    EntryPoint(
        name="pay-bank-lines",
        handler="functions.pay.bank_files.worker.handle",
        timeout_s=60,
        memory_mb=512,
        trigger=QueueTrigger("bank-file", batch_size=2, max_concurrency=10),
        environment=("DUTY_TABLE", "LEDGER_TABLE", "TARIFF_BUCKET", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
        ),
    ),
    EntryPoint(
        name="pay-terminals",
        handler="functions.pay.terminals.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("POST", "/v1/payments/{id}/pos-results", "payments.write"),
            Route("POST", "/v1/payments/{id}/pos-confirmations", "payments.write"),
            Route("POST", "/v1/payments/{id}/releases", "payments.write"),
            Route("PUT", "/v1/terminals/{id}", "terminals.write"),
            Route("GET", "/v1/terminals/{id}", "terminals.read"),
            Route("POST", "/v1/terminals/{id}/closings", "terminals.close"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("ledger", ("PutItem",)),
        ),
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
    ),
    EntryPoint(
        name="pay-verify-queue",
        handler="functions.pay.verify_queue.handle",
        timeout_s=60,
        memory_mb=512,
        trigger=QueueTrigger("verify-payment", batch_size=5, max_concurrency=20),
        environment=(
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "GATEWAYS_SECRET_ARN",
            "VERIFY_PAYMENT_QUEUE_URL",
            "PUBLIC_ORIGIN",
        ),
        grants=(
            TableGrant("duty", ("ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
            QueueGrant("verify-payment"),
        ),
    ),
    EntryPoint(
        name="pay-sweep",
        handler="functions.pay.sweep.handle",
        timeout_s=55,
        memory_mb=512,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=(
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "GATEWAYS_SECRET_ARN",
            "VERIFY_PAYMENT_QUEUE_URL",
            "BANK_FILE_QUEUE_URL",
            "PUBLIC_ORIGIN",
        ),
        grants=(
            TableGrant("duty", ("ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
            QueueGrant("verify-payment"),
            QueueGrant("bank-file"),
        ),
    ),
)
