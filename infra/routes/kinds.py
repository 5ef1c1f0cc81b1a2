"""What a row of the table of entry points may say: routes, triggers, grants, scopes and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCOPE_PREFIX = "avarez"
"""Identifier of the resource server; a token's scope reads ``avarez/payments.write``."""

SCOPES: dict[str, str] = {
    "accounts.read": "Read a city's account and its changes",
    "accounts.write": "Propose and cancel changes of a city's account",
    "accounts.approve": "Approve changes that a second person proposed",
    "officers.write": "Invite officers of a city and take them out",
    "budgets.write": "Publish what a city spends the duty on",
    "profile.write": "Set a city's emblem and contact",
    "vehicles.read": "Look up a vehicle and its standing",
    "vehicles.write": "Enter a vehicle from its card, and what changes of it",
    "vehicles.decide": "Confirm or reject what offices entered of a vehicle",
    "assessments.read": "Read a quote",
    "assessments.write": "Make a quote",
    "payments.read": "Read a payment and its history",
    "payments.write": "Create and cancel a payment",
    "bank-files.read": "Read what became of a bank's file",
    "bank-files.write": "Load a bank's file of paid bills",
    "events.read": "Read a city's events",
    "exchange.read": "Read the batches of the national exchange",
    "ledger.read": "Read the trial balance, and whether the books are whole",
    "settlements.write": "Close a city's day now, and make the files that pay cities",
    "statements.write": "Load a bank statement",
    "terminals.read": "Read a terminal and its sales",
    "terminals.write": "Register a terminal",
    "terminals.close": "Close a terminal's day",
    "refunds.read": "Read refunds",
    "refunds.write": "Ask for a refund",
    "refunds.approve": "Decide refunds, and enter their transfer",
    "certificates.read": "Read a certificate and its PDF",
    "certificates.write": "Ask for a clearance of a vehicle that owes nothing",
    "certificates.verify": "Verify many certificates at once",
    "certificates.reissue": "Issue another paper for a lost one",
    "clearances.read": "Ask whether a deed may rest on a clearance",
    "keys.read": "Read the list of signing keys",
    "keys.write": "Rotate the signing key, and mark one as compromised",
    "log.witness": "Register a witness of the transparency log, and send checkpoints that it cosigned",
    "rolls.read": "Read the state of a roll upload",
    "rolls.write": "Upload, commit and roll back a roll",
    "objections.read": "Read objections",
    "objections.write": "File and withdraw objections",
    "objections.decide": "Decide objections",
    "tariffs.read": "Read drafts of tariffs and their simulations",
    "tariffs.write": "Write, check, simulate and approve tariffs",
    "webhooks.read": "Read a city's endpoint, its health and what was tried",
    "webhooks.write": "Register an endpoint, rotate its secret, bring it back, replay events to it",
}

GROUPS: dict[str, str] = {
    "office": "Service offices: look up, quote, take payments, hand out certificates",
    "municipality": "Officers of one municipality",
    "auditor": "Read everything, change nothing",
    "operator": "Runs the system; loads rolls for any municipality",
    "verifier": "Police and notaries",
}

TableName = Literal["duty", "ledger", "identity"]
BucketName = Literal["documents", "rolls", "status", "tariff", "log", "figures"]
QueueName = Literal[
    "certify",
    "status",
    "verify-payment",
    "roll-stage",
    "tariff-simulate",
    "fleet-assess",
    "bank-file",
    "reconcile",
    "log",
    "sequence",
    "deliver",
]
KeyPool = Literal["signing", "root", "log"]
SecretName = Literal["gateways", "owner", "session", "webhook"]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP route; no scope means public, no rate the stage's own."""

    method: str
    path: str
    scope: str | None = None
    rate_per_s: int | None = None


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
    """The right to send to one queue, or what else is named."""

    queue: QueueName
    actions: tuple[str, ...] = ("SendMessage",)


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """Actions on the pool of signing keys, on the root key that signs their list, or on the log's."""

    actions: tuple[str, ...]
    keys: KeyPool = "signing"


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """The right to read one secret."""

    secret: SecretName


@dataclass(frozen=True, slots=True)
class PoolGrant:
    """Actions on the user pool."""

    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageGrant:
    """The right to send a text message to a telephone; no topic is among them."""


Grant = MessageGrant | TableGrant | BucketGrant | QueueGrant | KeyGrant | SecretGrant | PoolGrant


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Messages of a queue, answered with partial batch responses."""

    queue: QueueName
    batch_size: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class StreamTrigger:
    """New items of the ledger's stream: how their partition and their sort key begin, for each kind of them."""

    prefixes: tuple[tuple[str, str], ...]
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

OWNER_RATE_PER_S = 200
"""Of all owners together, to each of their routes: a quarter of the peak that offices are planned for."""

OWNER_READ_RATE_PER_S = 800
"""Of the routes that a page asks again and again while a payment is under way."""

PRINCIPAL = ("TOKEN_ISSUER", "USER_POOL_CLIENT_ID")
"""What the router needs to check a principal."""
