"""Public verification, and who signs in."""

from __future__ import annotations

from infra.routes.kinds import (
    HTTP_TIMEOUT_S,
    PRINCIPAL,
    BucketGrant,
    EntryPoint,
    PoolGrant,
    Route,
    TableGrant,
    TokenTrigger,
)

BATCH_TIMEOUT_S = 29
"""Below the HTTP API's own 30 s; rows of short codes are read one by one."""
ACTIVATION_RATE_PER_S = 5
"""Of all callers together: officers come one by one, and a code of 192 bits is not guessed at any rate."""
BATCH_RATE_PER_S = 10
"""Of all callers together: 5,000 certificates a second, without taking the public check's place."""

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    EntryPoint(
        name="verify-handler",
        handler="functions.verify.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("GET", "/v1/verify/{id}"),
            Route("POST", "/v1/verify"),
            Route("GET", "/.well-known/jwks.json"),
            Route("GET", "/.well-known/avarez/status"),
            Route("GET", "/.well-known/avarez/status/{shard}"),
            Route("GET", "/.well-known/avarez/keys.jwt"),
            Route("GET", "/.well-known/avarez/keys-root.json"),
            Route("GET", "/healthz"),
        ),
        environment=("DUTY_TABLE", "STATUS_BUCKET"),
        grants=(
            TableGrant("duty", ("GetItem", "Query")),
            BucketGrant("status", ("GetObject",), "status/*"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="verify-batch",
        handler="functions.verify.batch.handle",
        timeout_s=BATCH_TIMEOUT_S,
        memory_mb=1769,
        routes=(Route("POST", "/v1/verifications", "certificates.verify", rate_per_s=BATCH_RATE_PER_S),),
        environment=(*PRINCIPAL, "DUTY_TABLE"),
        grants=(TableGrant("duty", ("BatchGetItem", "GetItem", "Query")),),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="identity-handler",
        handler="functions.identity.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("POST", "/v1/tokens"),
            Route("POST", "/v1/municipalities/{code}/officers", "officers.write"),
            Route("POST", "/v1/municipalities/{code}/officers/{username}/removals", "officers.write"),
            Route("POST", "/v1/officer-activations", rate_per_s=ACTIVATION_RATE_PER_S),
        ),
        environment=("USER_POOL_ID", *PRINCIPAL, "IDENTITY_TABLE", "LEDGER_TABLE"),
        grants=(
            PoolGrant(
                (
                    "AdminAddUserToGroup",
                    "AdminCreateUser",
                    "AdminDisableUser",
                    "AdminEnableUser",
                    "AdminInitiateAuth",
                    "AdminSetUserPassword",
                    "AdminUserGlobalSignOut",
                )
            ),
            TableGrant(
                "identity",
                ("DeleteItem", "GetItem", "PutItem", "Query"),
                leading_keys=("USER#*", "OFFICERS#*"),
            ),
            TableGrant("ledger", ("BatchGetItem", "GetItem", "PutItem"), leading_keys=("*#ACCOUNT", "OUTBOX#*")),
        ),
    ),
    EntryPoint(
        name="identity-pre-token",
        handler="functions.identity.pre_token.handle",
        timeout_s=5,
        memory_mb=512,
        trigger=TokenTrigger(),
        environment=("IDENTITY_TABLE",),
        grants=(TableGrant("identity", ("GetItem",), leading_keys=("USER#*",)),),
    ),
)
