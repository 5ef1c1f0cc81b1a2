"""Quotes, vehicles, fleets and objections."""

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
        name="assess-handler",
        handler="functions.assess.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("GET", "/v1/municipalities"),
            Route("GET", "/v1/vehicles", "vehicles.read"),
            Route("GET", "/v1/vehicles/{plate}", "vehicles.read"),
            Route("POST", "/v1/vehicles", "vehicles.write"),
            Route("POST", "/v1/assessments", "assessments.write"),
            Route("GET", "/v1/assessments/{id}", "assessments.read"),
            Route("GET", "/v1/assessments/{id}/differences", "assessments.read"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "TARIFF_BUCKET", "OWNER_SECRET_ARN"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query")),
            TableGrant("duty", ("Query",), indexes=("by_plate", "by_vin", "by_chassis", "by_engine")),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
            SecretGrant("owner"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="change-handler",
        handler="functions.assess.changes.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("POST", "/v1/vehicles/{plate}/corrections", "vehicles.write"),
            Route("POST", "/v1/vehicles/{plate}/plates", "vehicles.write"),
            Route("POST", "/v1/vehicles/{plate}/residences", "vehicles.write"),
            Route("POST", "/v1/vehicles/{plate}/prior-payments", "vehicles.write"),
            Route("GET", "/v1/municipalities/{code}/vehicle-changes", "vehicles.read"),
            Route("GET", "/v1/vehicle-changes/{id}", "vehicles.read"),
            Route("POST", "/v1/vehicle-changes/{id}/decisions", "vehicles.decide"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "OWNER_SECRET_ARN"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            SecretGrant("owner"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="fleet-handler",
        handler="functions.assess.fleets.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("POST", "/v1/fleets", "assessments.write"),
            Route("GET", "/v1/fleets/{id}", "assessments.read"),
            Route("GET", "/v1/fleets/{id}/rows", "assessments.read"),
            Route("POST", "/v1/fleets/{id}/resumptions", "assessments.write"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "FLEET_ASSESS_QUEUE_URL", "TARIFF_BUCKET"),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "Query")),
            QueueGrant("fleet-assess"),
        ),
    ),
    EntryPoint(
        name="fleet-assess",
        handler="functions.assess.fleets.assess.handle",
        timeout_s=120,
        memory_mb=1024,
        trigger=QueueTrigger("fleet-assess", batch_size=1, max_concurrency=20),
        environment=("DUTY_TABLE", "TARIFF_BUCKET"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("duty", ("Query",), indexes=("by_plate",)),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
        ),
    ),
    EntryPoint(
        name="objection-handler",
        handler="functions.assess.objections.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("POST", "/v1/objections", "objections.write"),
            Route("GET", "/v1/objections", "objections.read"),
            Route("GET", "/v1/objections/{id}", "objections.read"),
            Route("POST", "/v1/objections/{id}/decisions", "objections.decide"),
            Route("POST", "/v1/objections/{id}/withdrawals", "objections.write"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "TARIFF_BUCKET"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("ledger", ("PutItem",), leading_keys=("OUTBOX#*", "STATUSMARKS")),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
        ),
    ),
    EntryPoint(
        name="objection-sweep",
        handler="functions.assess.objections.sweep.handle",
        timeout_s=120,
        memory_mb=512,
        trigger=ScheduleTrigger(every_minutes=60),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "TARIFF_BUCKET"),
        grants=(TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),),
    ),
)
