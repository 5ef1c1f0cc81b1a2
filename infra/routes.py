"""The one table of Lambda entry points: what starts each, what it is given, what it may do.

Plain data without CDK, so that the template, the packager, the local deployer and the tests read
the same table. A grant that is not in this table does not exist: the roles are written from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCOPE_PREFIX = "avarez"
"""Identifier of the resource server; a token's scope reads ``avarez/payments.write``."""

SCOPES: dict[str, str] = {
    "vehicles.read": "Look up a vehicle and its standing",
    "vehicles.write": "Enter a vehicle from its card",
    "assessments.read": "Read a quote",
    "assessments.write": "Make a quote",
    "payments.read": "Read a payment and its history",
    "payments.write": "Create and cancel a payment",
    "certificates.read": "Read a certificate and its PDF",
    "rolls.read": "Read the state of a roll upload",
    "rolls.write": "Upload, commit and roll back a roll",
    "objections.read": "Read objections",
    "objections.write": "File and withdraw objections",
    "objections.decide": "Decide objections",
    "tariffs.read": "Read drafts of tariffs and their simulations",
    "tariffs.write": "Write, check, simulate and approve tariffs",
}

GROUPS: dict[str, str] = {
    "office": "Service offices: look up, quote, take payments, hand out certificates",
    "municipality": "Officers of one municipality",
    "auditor": "Read everything, change nothing",
    "operator": "Runs the system; loads rolls for any municipality",
    "verifier": "Police and notaries",
}

TableName = Literal["duty", "ledger", "identity"]
BucketName = Literal["documents", "rolls", "tariff"]
QueueName = Literal["certify", "verify-payment", "roll-stage", "tariff-simulate", "fleet-assess"]
SecretName = Literal["gateways", "owner"]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP route; no scope means public."""

    method: str
    path: str
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class TableGrant:
    """Actions on one table, optionally on named indexes, optionally on partition keys by prefix."""

    table: TableName
    actions: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    leading_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BucketGrant:
    """Actions on the objects of one bucket below one prefix."""

    bucket: BucketName
    actions: tuple[str, ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class QueueGrant:
    """The right to send to one queue."""

    queue: QueueName


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """Actions on the certificate signing key."""

    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """The right to read one secret."""

    secret: SecretName


@dataclass(frozen=True, slots=True)
class PoolGrant:
    """Actions on the user pool."""

    actions: tuple[str, ...]


Grant = TableGrant | BucketGrant | QueueGrant | KeyGrant | SecretGrant | PoolGrant


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Messages of a queue, answered with partial batch responses."""

    queue: QueueName
    batch_size: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class StreamTrigger:
    """New outbox rows of the ledger's stream."""

    batch_size: int = 100


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """A clock."""

    every_minutes: int


@dataclass(frozen=True, slots=True)
class ObjectTrigger:
    """Objects that come to stand in a bucket below a prefix."""

    bucket: BucketName
    prefix: str


@dataclass(frozen=True, slots=True)
class TokenTrigger:
    """The user pool, before it makes a token."""


Trigger = QueueTrigger | StreamTrigger | ScheduleTrigger | ObjectTrigger | TokenTrigger


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One Lambda function: handler, what starts it, its environment and its rights."""

    name: str
    handler: str
    timeout_s: int
    memory_mb: int
    routes: tuple[Route, ...] = ()
    trigger: Trigger | None = None
    environment: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    packages: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    reserved_concurrency: int | None = None

    @property
    def folder(self) -> str:
        """The folder under functions/ whose code the function carries."""
        return self.handler.split(".")[1]

    @property
    def is_asynchronous(self) -> bool:
        """Whether EventBridge invokes it, so that a failed event needs a place to go."""
        return isinstance(self.trigger, ScheduleTrigger | ObjectTrigger)


HTTP_TIMEOUT_S = 15
"""Below the HTTP API's 30 s, above the longest wait of a handler (certify waits 8 s for a PDF)."""

_PRINCIPAL = ("TOKEN_ISSUER", "USER_POOL_CLIENT_ID")
"""What the router needs to check a principal."""

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
        environment=(*_PRINCIPAL, "DUTY_TABLE", "TARIFF_BUCKET", "OWNER_SECRET_ARN"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query")),
            TableGrant("duty", ("Query",), indexes=("by_plate", "by_vin", "by_chassis", "by_engine")),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
            SecretGrant("owner"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="roll-handler",
        handler="functions.assess.roll.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("POST", "/v1/rolls", "rolls.write"),
            Route("GET", "/v1/rolls/{id}", "rolls.read"),
            Route("POST", "/v1/rolls/{id}/commit", "rolls.write"),
            Route("POST", "/v1/rolls/{id}/rollback", "rolls.write"),
        ),
        environment=(*_PRINCIPAL, "DUTY_TABLE", "ROLLS_BUCKET"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            BucketGrant("rolls", ("PutObject",), "uploads/*"),
            BucketGrant("rolls", ("GetObject",), "refused/*"),
        ),
    ),
    EntryPoint(
        name="roll-check",
        handler="functions.assess.roll.check.handle",
        timeout_s=900,
        memory_mb=2048,
        trigger=ObjectTrigger("rolls", "uploads/"),
        environment=("DUTY_TABLE", "ROLLS_BUCKET", "ROLL_STAGE_QUEUE_URL", "OWNER_SECRET_ARN"),
        grants=(
            TableGrant("duty", ("GetItem", "UpdateItem")),
            BucketGrant("rolls", ("GetObject",), "uploads/*"),
            BucketGrant("rolls", ("PutObject",), "chunks/*"),
            BucketGrant("rolls", ("PutObject",), "refused/*"),
            BucketGrant("rolls", ("PutObject",), "facts/*"),
            QueueGrant("roll-stage"),
            SecretGrant("owner"),
        ),
        packages=("cryptography",),
    ),
    EntryPoint(
        name="roll-stage",
        handler="functions.assess.roll.stage.handle",
        timeout_s=120,
        memory_mb=1024,
        trigger=QueueTrigger("roll-stage", batch_size=1, max_concurrency=20),
        environment=("DUTY_TABLE", "ROLLS_BUCKET", "ROLL_STAGE_QUEUE_URL", "OWNER_SECRET_ARN"),
        grants=(
            TableGrant(
                "duty",
                ("BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
            ),
            BucketGrant("rolls", ("GetObject",), "chunks/*"),
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
        environment=(*_PRINCIPAL, "DUTY_TABLE", "FLEET_ASSESS_QUEUE_URL", "TARIFF_BUCKET"),
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
        environment=(*_PRINCIPAL, "DUTY_TABLE", "LEDGER_TABLE", "TARIFF_BUCKET"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
            TableGrant("ledger", ("PutItem",), leading_keys=("OUTBOX#*",)),
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
    EntryPoint(
        name="tariff-handler",
        handler="functions.assess.tariffs.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1769,
        routes=(
            Route("GET", "/v1/tariffs", "tariffs.read"),
            Route("POST", "/v1/tariffs", "tariffs.write"),
            Route("GET", "/v1/tariffs/{id}", "tariffs.read"),
            Route("GET", "/v1/tariffs/{id}/files/{name}", "tariffs.read"),
            Route("PUT", "/v1/tariffs/{id}/files/{name}", "tariffs.write"),
            Route("DELETE", "/v1/tariffs/{id}/files/{name}", "tariffs.write"),
            Route("POST", "/v1/tariffs/{id}/checks", "tariffs.write"),
            Route("POST", "/v1/tariffs/{id}/simulations", "tariffs.write"),
            Route("GET", "/v1/tariffs/{id}/simulation", "tariffs.read"),
            Route("POST", "/v1/tariffs/{id}/approvals", "tariffs.write"),
            Route("POST", "/v1/tariffs/{id}/withdrawals", "tariffs.write"),
            Route("GET", "/v1/tariffs/versions/{version}"),
        ),
        environment=(*_PRINCIPAL, "DUTY_TABLE", "TARIFF_BUCKET", "TARIFF_SIMULATE_QUEUE_URL"),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "Query", "UpdateItem")),
            BucketGrant("tariff", ("GetObject", "PutObject"), "drafts/*"),
            BucketGrant("tariff", ("GetObject", "PutObject"), "tariffs/*"),
            BucketGrant("tariff", ("GetObject",), "simulations/*"),
            QueueGrant("tariff-simulate"),
        ),
    ),
    EntryPoint(
        name="tariff-simulate",
        handler="functions.assess.tariffs.simulate.handle",
        timeout_s=900,
        memory_mb=3008,
        trigger=QueueTrigger("tariff-simulate", batch_size=1, max_concurrency=2),
        environment=("DUTY_TABLE", "TARIFF_BUCKET", "ROLLS_BUCKET"),
        grants=(
            TableGrant("duty", ("BatchGetItem", "GetItem", "UpdateItem")),
            BucketGrant("tariff", ("GetObject",), "tariffs/*"),
            BucketGrant("tariff", ("PutObject",), "simulations/*"),
            BucketGrant("rolls", ("GetObject",), "facts/*"),
        ),
        packages=("numpy",),
    ),
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
            *_PRINCIPAL,
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
        environment=("DUTY_TABLE", "LEDGER_TABLE", "GATEWAYS_SECRET_ARN", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("DeleteItem", "GetItem", "PutItem", "Query")),
            TableGrant("ledger", ("PutItem",)),
            SecretGrant("gateways"),
        ),
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
    ),
    EntryPoint(
        name="certify-handler",
        handler="functions.certify.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(
            Route("GET", "/v1/certificates/{id}", "certificates.read"),
            Route("GET", "/v1/certificates/{id}/pdf", "certificates.read"),
        ),
        environment=(*_PRINCIPAL, "DUTY_TABLE", "DOCUMENTS_BUCKET", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("GetItem",)),
            BucketGrant("documents", ("GetObject",), "certificates/*"),
        ),
    ),
    EntryPoint(
        name="certify-relay",
        handler="functions.certify.relay.handle",
        timeout_s=30,
        memory_mb=256,
        trigger=StreamTrigger(),
        environment=("CERTIFY_QUEUE_URL",),
        grants=(QueueGrant("certify"),),
    ),
    EntryPoint(
        name="certify-issue",
        handler="functions.certify.issue.handle",
        timeout_s=60,
        memory_mb=1769,
        trigger=QueueTrigger("certify", batch_size=5, max_concurrency=100),
        environment=("DUTY_TABLE", "LEDGER_TABLE", "DOCUMENTS_BUCKET", "SIGNING_KEY_ID", "PUBLIC_ORIGIN"),
        grants=(
            TableGrant("duty", ("GetItem", "PutItem", "UpdateItem")),
            TableGrant("ledger", ("DeleteItem", "GetItem"), leading_keys=("OUTBOX#*",)),
            BucketGrant("documents", ("GetObject", "PutObject"), "certificates/*"),
            KeyGrant(("GetPublicKey", "Sign")),
        ),
        packages=("typst", "zxing-cpp", "cryptography"),
        files=(
            ("node_modules/vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf", "functions/certify/document/fonts"),
            ("node_modules/vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf", "functions/certify/document/fonts"),
        ),
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
            QueueGrant("certify"),
        ),
    ),
    EntryPoint(
        name="verify-handler",
        handler="functions.verify.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=1024,
        routes=(
            Route("GET", "/v1/verify/{id}"),
            Route("POST", "/v1/verify"),
            Route("GET", "/.well-known/jwks.json"),
            Route("GET", "/healthz"),
        ),
        environment=("DUTY_TABLE",),
        grants=(TableGrant("duty", ("GetItem", "Query")),),
        packages=("cryptography", "pypdf"),
    ),
    EntryPoint(
        name="identity-handler",
        handler="functions.identity.handler.handle",
        timeout_s=HTTP_TIMEOUT_S,
        memory_mb=512,
        routes=(Route("POST", "/v1/tokens"),),
        environment=("USER_POOL_ID", "USER_POOL_CLIENT_ID"),
        grants=(PoolGrant(("AdminInitiateAuth",)),),
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


def entry_point(name: str) -> EntryPoint:
    """The entry point of that name.

    Raises: KeyError when there is none.
    """
    for candidate in ENTRY_POINTS:
        if candidate.name == name:
            return candidate
    raise KeyError(name)
