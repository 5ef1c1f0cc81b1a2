"""What brings events to the cities: endpoints, deliveries, and the same events by pull."""

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

OUTBOUND = ("LEDGER_TABLE", "WEBHOOK_SECRET_ARN", "WEBHOOK_LOOPBACK", "DELIVER_QUEUE_URL")
REGISTRATION_TIMEOUT_S = 29
"""A challenge may take as long as the API waits."""
CITY = "/v1/municipalities/{code}"
WEBHOOK = f"{CITY}/webhook"
CHANGES = TableGrant(
    "ledger",
    ("DeleteItem", "GetItem", "PutItem", "Query"),
    leading_keys=("*#ACCOUNT", "ACCOUNTS#DUE", "OUTBOX#*"),
)
"""What a step of a guarded change writes, and the event that tells of it."""
CHANGED = TableGrant("ledger", ("GetItem", "PutItem"), leading_keys=("*#WEBHOOK",))
"""What a step may take effect on."""

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="pay-webhooks",
        handler="functions.pay.delivery.endpoints.handler.handle",
        timeout_s=REGISTRATION_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("PUT", WEBHOOK, "webhooks.write"),
            Route("GET", WEBHOOK, "webhooks.read"),
            Route("GET", f"{WEBHOOK}/attempts", "webhooks.read"),
            Route("POST", f"{WEBHOOK}/challenges", "webhooks.write"),
            Route("POST", f"{WEBHOOK}/rotations", "webhooks.write"),
            Route("POST", f"{WEBHOOK}/resumptions", "webhooks.write"),
            Route("POST", f"{WEBHOOK}/stops", "webhooks.write"),
            Route("POST", f"{WEBHOOK}/tests", "webhooks.write"),
            Route("POST", "/v1/municipalities/{code}/events/replay", "webhooks.write"),
        ),
        environment=(*PRINCIPAL, *OUTBOUND),
        grants=(
            TableGrant("ledger", ("GetItem", "PutItem", "Query"), leading_keys=("*#WEBHOOK*", "*#CHAIN")),
            CHANGES,
            SecretGrant("webhook"),
            QueueGrant("deliver"),
        ),
    ),
    EntryPoint(
        name="pay-events",
        handler="functions.pay.delivery.pull.handler.handle",
        timeout_s=REGISTRATION_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", f"{CITY}/events", "events.read"),
            Route("GET", f"{CITY}/events/files", "events.read"),
        ),
        environment=(*PRINCIPAL, "LEDGER_TABLE", "DOCUMENTS_BUCKET"),
        grants=(
            TableGrant("ledger", ("GetItem", "Query"), leading_keys=("*#EVENTS#*", "*#CHAIN", "*#EVENTFILES")),
            BucketGrant("documents", ("GetObject",), "events/*"),
        ),
    ),
    EntryPoint(
        name="pay-deliver",
        handler="functions.pay.delivery.worker.handle",
        timeout_s=60,
        memory_mb=512,
        trigger=QueueTrigger("deliver", batch_size=1, max_concurrency=400),
        environment=OUTBOUND,
        grants=(
            TableGrant(
                "ledger", ("GetItem", "PutItem", "Query"), leading_keys=("*#WEBHOOK*", "*#EVENTS#*", "*#CHAIN")
            ),
            SecretGrant("webhook"),
            QueueGrant("deliver"),
        ),
    ),
    EntryPoint(
        name="pay-deliver-sweep",
        handler="functions.pay.delivery.sweep.handle",
        timeout_s=55,
        memory_mb=256,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=("LEDGER_TABLE", "DELIVER_QUEUE_URL"),
        grants=(
            TableGrant("ledger", ("BatchGetItem",), leading_keys=("*#WEBHOOK", "*#CHAIN")),
            CHANGES,
            QueueGrant("deliver"),
        ),
    ),
    EntryPoint(
        name="pay-accounts",
        handler="functions.pay.accounts.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("PUT", f"{CITY}/account", "accounts.write"),
            Route("GET", f"{CITY}/account", "accounts.read"),
            Route("GET", f"{CITY}/changes", "accounts.read"),
            Route("GET", f"{CITY}/onboarding", "accounts.read"),
            Route("POST", f"{CITY}/changes/{{id}}/approvals", "accounts.approve"),
            Route("POST", f"{CITY}/changes/{{id}}/cancellations", "accounts.write"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "IDENTITY_TABLE"),
        grants=(
            CHANGES,
            CHANGED,
            TableGrant("ledger", ("BatchGetItem",), leading_keys=("*#ACCOUNT",)),
            TableGrant("ledger", ("GetItem",), leading_keys=("*#EVENTFILES",)),
            TableGrant("duty", ("GetItem",), leading_keys=("SETTING", "TARIFF", "*#ROLL")),
            TableGrant("identity", ("Query",), leading_keys=("OFFICERS#*",)),
        ),
    ),
)
