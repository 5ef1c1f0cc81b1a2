"""Certificates: asked for, issued, read."""

from __future__ import annotations

from infra.routes.kinds import (
    HTTP_TIMEOUT_S,
    OWNER_RATE_PER_S,
    OWNER_READ_RATE_PER_S,
    PRINCIPAL,
    BucketGrant,
    EntryPoint,
    KeyGrant,
    QueueGrant,
    QueueTrigger,
    Route,
    ScheduleTrigger,
    SecretGrant,
    StreamTrigger,
    TableGrant,
)

PUBLISHING = ("DUTY_TABLE", "LEDGER_TABLE", "SIGNING_KEY_IDS", "STATUS_BUCKET", "PUBLIC_ORIGIN")
PUBLISHES = (
    TableGrant(
        "duty",
        ("GetItem", "PutItem", "Query", "UpdateItem"),
        leading_keys=("KEYS", "STATUS", "STATUSENDS#*"),
    ),
    TableGrant("ledger", ("DeleteItem", "Query"), leading_keys=("STATUSMARKS",)),
    BucketGrant("status", ("PutObject",), "status/*"),
    KeyGrant(("GetPublicKey", "Sign")),
)
"""What publishing the status list takes."""

FONTS = (
    ("node_modules/vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf", "functions/certify/document/fonts"),
    ("node_modules/vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf", "functions/certify/document/fonts"),
)
"""What papers are set in."""

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="certify-handler",
        handler="functions.certify.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", "/v1/certificates/{id}", "certificates.read"),
            Route("GET", "/v1/certificates/{id}/pdf", "certificates.read"),
            Route("POST", "/v1/certificates/{id}/reissues", "certificates.reissue"),
            Route("GET", "/v1/owner/certificates", rate_per_s=OWNER_RATE_PER_S),
            Route("GET", "/v1/owner/certificates/{id}", rate_per_s=OWNER_READ_RATE_PER_S),
            Route("GET", "/v1/owner/certificates/{id}/pdf", rate_per_s=OWNER_RATE_PER_S),
        ),
        environment=(
            *PRINCIPAL,
            "SESSION_SECRET_ARN",
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "DOCUMENTS_BUCKET",
            "PUBLIC_ORIGIN",
        ),
        grants=(
            SecretGrant("session"),
            TableGrant("duty", ("Query",)),
            TableGrant("duty", ("GetItem", "PutItem", "UpdateItem")),
            TableGrant("ledger", ("PutItem",), leading_keys=("OUTBOX#*", "STATUSMARKS")),
            BucketGrant("documents", ("GetObject",), "certificates/*"),
        ),
    ),
    EntryPoint(
        name="certify-clear",
        handler="functions.certify.clearances.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(Route("POST", "/v1/certificates", "certificates.write"),),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "TARIFF_BUCKET"),
        grants=(
            TableGrant(
                "duty", ("BatchGetItem", "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem")
            ),
            TableGrant("ledger", ("PutItem",), leading_keys=("OUTBOX#*", "STATUSMARKS", "*#JOURNAL#*")),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
        ),
    ),
    EntryPoint(
        name="certify-notary",
        handler="functions.certify.clearances.notary.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(Route("POST", "/v1/clearance-checks", "clearances.read"),),
        environment=(*PRINCIPAL, "DUTY_TABLE"),
        grants=(
            TableGrant("duty", ("GetItem", "Query")),
            TableGrant("duty", ("Query",), indexes=("by_plate",)),
        ),
    ),
    EntryPoint(
        name="certify-papers",
        handler="functions.certify.papers.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1769,
        routes=(
            Route("GET", "/v1/payments/{id}/slip.pdf", "payments.read"),
            Route("GET", "/v1/payments/{id}/receipt.pdf", "payments.read"),
            Route("GET", "/v1/payments/{id}/summary.pdf", "payments.read"),
            Route("GET", "/v1/municipalities/{code}/settlements/{id}/statement.pdf", "ledger.read"),
            Route("PUT", "/v1/municipalities/{code}/profile", "profile.write"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "DOCUMENTS_BUCKET", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "GetItem", "Query")),
            TableGrant("duty", ("UpdateItem",), leading_keys=("SETTING",)),
            TableGrant("ledger", ("GetItem", "PutItem", "Query"), leading_keys=("*#SETTLE*",)),
            TableGrant("ledger", ("Query",), leading_keys=("*#BUDGETS",)),
            BucketGrant("documents", ("GetObject", "PutObject"), "settlements/*"),
        ),
        packages=("typst", "zxing-cpp"),
        files=FONTS,
    ),
    EntryPoint(
        name="certify-relay",
        handler="functions.certify.relay.handle",
        timeout_s=30,
        memory_mb=256,
        trigger=StreamTrigger((("OUTBOX#", "ev_"), ("STATUSMARKS", ""))),
        environment=("CERTIFY_QUEUE_URL", "STATUS_QUEUE_URL"),
        grants=(QueueGrant("certify"), QueueGrant("status")),
    ),
    EntryPoint(
        name="certify-issue",
        handler="functions.certify.issue.handle",
        timeout_s=60,
        memory_mb=1769,
        trigger=QueueTrigger("certify", batch_size=5, max_concurrency=100),
        environment=(
            "DUTY_TABLE",
            "LEDGER_TABLE",
            "DOCUMENTS_BUCKET",
            "SIGNING_KEY_IDS",
            "PUBLIC_ORIGIN",
            "LOG_QUEUE_URL",
        ),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("ledger", ("DeleteItem", "GetItem", "PutItem"), leading_keys=("OUTBOX#*",)),
            BucketGrant("documents", ("GetObject", "PutObject"), "certificates/*"),
            KeyGrant(("GetPublicKey", "Sign")),
            QueueGrant("log"),
        ),
        packages=("typst", "zxing-cpp", "cryptography"),
        files=FONTS,
    ),
    EntryPoint(
        name="certify-sweep",
        handler="functions.certify.sweep.handle",
        timeout_s=55,
        memory_mb=256,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=("LEDGER_TABLE", "CERTIFY_QUEUE_URL"),
        grants=(
            TableGrant("ledger", ("Query",), indexes=("pending",)),
            QueueGrant("certify", ("GetQueueAttributes", "SendMessage")),
        ),
    ),
    EntryPoint(
        name="certify-event-files",
        handler="functions.certify.event_files.daily.handle",
        timeout_s=900,
        memory_mb=1769,
        trigger=ScheduleTrigger(every_minutes=30),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "DOCUMENTS_BUCKET", "SIGNING_KEY_IDS"),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "Query", "UpdateItem"), leading_keys=("KEYS",)),
            TableGrant("ledger", ("BatchGetItem",), leading_keys=("*#CHAIN",)),
            TableGrant(
                "ledger",
                ("GetItem", "PutItem", "Query"),
                leading_keys=("*#EVENTFILES", "*#EVENTS#*", "*#CHAIN"),
            ),
            BucketGrant("documents", ("GetObject", "PutObject"), "events/*"),
            KeyGrant(("GetPublicKey", "Sign")),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-keys",
        handler="functions.certify.keys_handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", "/v1/signing-keys", "keys.read"),
            Route("POST", "/v1/signing-keys/rotations", "keys.write"),
            Route("POST", "/v1/signing-keys/{kid}/compromises", "keys.write"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE"),
        grants=(TableGrant("duty", ("GetItem", "PutItem", "Query", "UpdateItem"), leading_keys=("KEYS",)),),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-publish",
        handler="functions.certify.publish.handle",
        timeout_s=55,
        memory_mb=512,
        trigger=ScheduleTrigger(every_minutes=1),
        reserved_concurrency=1,
        environment=(*PUBLISHING, "KEYS_ROOT_ID"),
        grants=(
            *PUBLISHES,
            KeyGrant(("GetPublicKey", "Sign"), keys="root"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="certify-status",
        handler="functions.certify.status_queue.handle",
        timeout_s=55,
        memory_mb=512,
        trigger=QueueTrigger("status", batch_size=10, max_concurrency=2),
        environment=PUBLISHING,
        grants=PUBLISHES,
        packages=("cryptography",),
    ),
)
