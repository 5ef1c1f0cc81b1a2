"""The public figures: built by one, read by everybody."""

from __future__ import annotations

from infra.routes.kinds import HTTP_TIMEOUT_S, BucketGrant, EntryPoint, Route, ScheduleTrigger, TableGrant

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="report-build",
        handler="functions.report.build.handle",
        timeout_s=900,
        memory_mb=2048,
        trigger=ScheduleTrigger(every_minutes=24 * 60),
        reserved_concurrency=1,
        environment=("DUTY_TABLE", "LEDGER_TABLE", "FIGURES_BUCKET"),
        grants=(
            TableGrant("duty", ("Query",), leading_keys=("SETTING",)),
            TableGrant("ledger", ("GetItem", "PutItem"), leading_keys=("FIGURES", "*#CHAIN")),
            TableGrant("ledger", ("Query",), leading_keys=("*#EVENTS#*",)),
            BucketGrant("figures", ("GetObject", "PutObject"), "files/*"),
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
        ),
        environment=("LEDGER_TABLE", "FIGURES_BUCKET"),
        grants=(
            TableGrant("ledger", ("GetItem",), leading_keys=("FIGURES",)),
            BucketGrant("figures", ("GetObject",), "files/*"),
        ),
    ),
)
