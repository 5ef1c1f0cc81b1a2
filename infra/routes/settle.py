"""The daily close, the files that pay cities, and the batches of the national exchange."""

from __future__ import annotations

from infra.routes.kinds import (
    HTTP_TIMEOUT_S,
    PRINCIPAL,
    BucketGrant,
    EntryPoint,
    Route,
    ScheduleTrigger,
    TableGrant,
)

CLOSES = "/v1/municipalities/{code}/settlements"

CLOSING = (
    TableGrant("duty", ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")),
    TableGrant("ledger", ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")),
)
"""What closing a day touches: the city's settings, its tasks, its chain and its outbox."""

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="pay-settle",
        handler="functions.pay.settlement.quarterly.handle",
        timeout_s=600,
        memory_mb=1769,
        trigger=ScheduleTrigger(every_minutes=15),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "DOCUMENTS_BUCKET"),
        grants=(*CLOSING, BucketGrant("documents", ("GetObject", "PutObject"), "exchange/*")),
    ),
    EntryPoint(
        name="pay-settlements",
        handler="functions.pay.settlement.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("GET", CLOSES, "ledger.read"),
            Route("POST", CLOSES, "settlements.write"),
            Route("GET", f"{CLOSES}/{{id}}", "ledger.read"),
            Route("GET", f"{CLOSES}/{{id}}/statement.csv", "ledger.read"),
            Route("GET", f"{CLOSES}/{{id}}/statement.json", "ledger.read"),
            Route("POST", "/v1/transfer-batches", "settlements.write"),
            Route("GET", "/v1/transfer-batches", "settlements.write"),
            Route("GET", "/v1/transfer-batches/{id}", "settlements.write"),
            Route("GET", "/v1/transfer-batches/{id}/paya.xml", "settlements.write"),
            Route("GET", "/v1/transfer-batches/{id}/paya.ccti", "settlements.write"),
            Route("GET", "/v1/exchange/batches", "exchange.read"),
            Route("GET", "/v1/exchange/batches/{number}", "exchange.read"),
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "DOCUMENTS_BUCKET"),
        grants=(
            *CLOSING,
            TableGrant("ledger", ("UpdateItem",), leading_keys=("*#TRANSFERS",)),
            BucketGrant("documents", ("GetObject",), "exchange/*"),
        ),
    ),
)
