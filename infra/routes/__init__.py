"""The one table of Lambda entry points: what starts each, what it is given, what it may do.

Plain data without CDK, so that the template, the packager, the local deployer and the tests read
the same table. A grant that is not in this table does not exist: the roles are written from it.
"""

from __future__ import annotations

from infra.routes import (
    assess,
    certify,
    delivery,
    log,
    pay,
    report,
    rolls_and_tariffs,
    settle,
    verify_and_identity,
)
from infra.routes.kinds import (
    GROUPS,
    HTTP_TIMEOUT_S,
    SCOPE_PREFIX,
    SCOPES,
    BucketGrant,
    BucketName,
    EntryPoint,
    Grant,
    KeyGrant,
    KeyPool,
    MessageGrant,
    ObjectTrigger,
    PoolGrant,
    QueueGrant,
    QueueName,
    QueueTrigger,
    Route,
    ScheduleTrigger,
    SecretGrant,
    SecretName,
    StreamTrigger,
    TableGrant,
    TableName,
    TokenTrigger,
    Trigger,
)

ENTRY_POINTS: tuple[EntryPoint, ...] = (
    *assess.ENTRY_POINTS,
    *rolls_and_tariffs.ENTRY_POINTS,
    *pay.ENTRY_POINTS,
    *delivery.ENTRY_POINTS,
    *settle.ENTRY_POINTS,
    *certify.ENTRY_POINTS,
    *log.ENTRY_POINTS,
    *report.ENTRY_POINTS,
    *verify_and_identity.ENTRY_POINTS,
)


def entry_point(name: str) -> EntryPoint:
    """The entry point of that name.

    Raises: KeyError when there is none.
    """
    for candidate in ENTRY_POINTS:
        if candidate.name == name:
            return candidate
    raise KeyError(name)


__all__ = [
    "ENTRY_POINTS",
    "GROUPS",
    "HTTP_TIMEOUT_S",
    "SCOPES",
    "SCOPE_PREFIX",
    "BucketGrant",
    "BucketName",
    "EntryPoint",
    "Grant",
    "KeyGrant",
    "KeyPool",
    "MessageGrant",
    "ObjectTrigger",
    "PoolGrant",
    "QueueGrant",
    "QueueName",
    "QueueTrigger",
    "Route",
    "ScheduleTrigger",
    "SecretGrant",
    "SecretName",
    "StreamTrigger",
    "TableGrant",
    "TableName",
    "TokenTrigger",
    "Trigger",
    "entry_point",
]
