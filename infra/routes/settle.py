"""The daily close: days closed by the clock and by hand, the files that pay cities."""

from __future__ import annotations

from infra.routes.kinds import HTTP_TIMEOUT_S, PRINCIPAL, EntryPoint, Route, ScheduleTrigger, TableGrant

CLOSES = "/v1/municipalities/{code}/settlements"

CLOSING = (
    TableGrant("duty", ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")),
    TableGrant("ledger", ("BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")),
)
"""What closing a day touches: the city's settings, its tasks, its chain and its outbox."""

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="pay-settle",
        handler="functions.pay.settlement.worker.handle",
        timeout_s=300,
        memory_mb=1024,
        trigger=ScheduleTrigger(every_minutes=15),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE"),
        grants=CLOSING,
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
        ),
        environment=(*PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE"),
        grants=(*CLOSING, TableGrant("ledger", ("UpdateItem",), leading_keys=("*#TRANSFERS",))),
    ),
)
