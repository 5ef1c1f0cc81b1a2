"""The public figures: built by one, read by everybody."""

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

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="report-build",
        handler="functions.report.build.handle",
        timeout_s=900,
        memory_mb=2048,
        trigger=ScheduleTrigger(every_minutes=24 * 60),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "FIGURES_BUCKET", "ROLLS_BUCKET"),
        grants=(
            TableGrant("duty", ("Query",), leading_keys=("SETTING",)),
            TableGrant("duty", ("GetItem",), leading_keys=("*#RECEIVABLES",)),
            TableGrant("ledger", ("GetItem", "PutItem"), leading_keys=("FIGURES", "*#CHAIN")),
            TableGrant("ledger", ("Query",), leading_keys=("*#EVENTS#*",)),
            BucketGrant("figures", ("GetObject", "PutObject"), "files/*"),
            BucketGrant("figures", ("GetObject", "PutObject"), "memory/*"),
            BucketGrant("rolls", ("GetObject",), "receivables/*"),
        ),
    ),
    EntryPoint(
        name="report-open",
        handler="functions.report.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", "/v1/open"),
            Route("GET", "/v1/open/files/{name}"),
            Route("GET", "/v1/open/cells/{municipality}"),
            Route("GET", "/v1/open/cells/{municipality}/{period}"),
            Route("GET", "/v1/open/definitions"),
            Route("GET", "/v1/open/definitions/{figure}"),
            Route("GET", "/v1/open/planning/{municipality}"),
            Route("GET", "/v1/open/effects/{municipality}/{day}/{days}/{against}"),
            Route("GET", "/v1/open/budgets"),
            Route("GET", "/v1/open/budgets/{municipality}"),
        ),
        environment=("LEDGER_TABLE", "FIGURES_BUCKET"),
        grants=(
            TableGrant("ledger", ("GetItem",), leading_keys=("FIGURES",)),
            TableGrant("ledger", ("Query",), leading_keys=("*#BUDGETS",)),
            BucketGrant("figures", ("GetObject",), "files/*"),
        ),
    ),
    EntryPoint(
        name="report-budgets",
        handler="functions.report.budgets.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("PUT", "/v1/municipalities/{code}/budgets/{year}", "budgets.write"),
            Route("GET", "/v1/municipalities/{code}/budgets/{year}", "ledger.read"),
        ),
        environment=(*PRINCIPAL, "LEDGER_TABLE", "FIGURES_BUCKET"),
        grants=(
            TableGrant("ledger", ("GetItem", "PutItem", "Query"), leading_keys=("*#BUDGETS",)),
            BucketGrant("figures", ("GetObject", "PutObject"), "files/*"),
        ),
    ),
)
