"""Grants of the table of entry points, as statements of least privilege."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from infra.resources.queues import Queues
from infra.resources.storage import Storage
from infra.routes import (
    BucketGrant,
    EntryPoint,
    Grant,
    KeyGrant,
    MessageGrant,
    PoolGrant,
    QueueGrant,
    QueueTrigger,
    SecretGrant,
    StreamTrigger,
    TableGrant,
)


def statements(
    entry: EntryPoint, *, storage: Storage, queues: Queues, pool: cognito.UserPool, log_group_arn: str
) -> list[iam.PolicyStatement]:
    """What the function's role allows: its log group, traces, its trigger's source, and its grants."""
    result = [
        iam.PolicyStatement(
            sid="WriteOwnLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_group_arn],
        ),
        iam.PolicyStatement(
            sid="SendTraces",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],
        ),
    ]
    if isinstance(entry.trigger, QueueTrigger):
        result.append(_consume(queues.queues[entry.trigger.queue]))
    if isinstance(entry.trigger, StreamTrigger):
        stream_arn = storage.tables["ledger"].table_stream_arn
        if stream_arn is None:
            raise ValueError("the ledger has no stream")
        result.append(
            iam.PolicyStatement(
                sid="ReadStream",
                actions=[
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    "dynamodb:ListStreams",
                ],
                resources=[stream_arn],
            )
        )
        result.append(_send(queues.failed_stream_records, "PutAsideFailedRecords"))
    if entry.is_asynchronous:
        result.append(_send(queues.failed_events, "PutAsideFailedEvents"))
    result.extend(_statement(grant, storage=storage, queues=queues, pool=pool) for grant in entry.grants)
    return result


def wildcard_findings(entry: EntryPoint, logical_ids: Mapping[str, str]) -> list[str]:
    """The nag's names for the object prefixes of the entry point: the only stars within an ARN."""
    return [
        f"AwsSolutions-IAM5[Resource::<{logical_ids[grant.bucket]}.Arn>/{grant.prefix}]"
        for grant in entry.grants
        if isinstance(grant, BucketGrant) and "*" in grant.prefix
    ]


def _statement(grant: Grant, *, storage: Storage, queues: Queues, pool: cognito.UserPool) -> iam.PolicyStatement:
    match grant:
        case TableGrant():
            table = storage.tables[grant.table]
            resources = [f"{table.table_arn}/index/{index}" for index in grant.indexes] or [table.table_arn]
            conditions = {}
            if grant.leading_keys:
                conditions = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(grant.leading_keys)}}
            return iam.PolicyStatement(
                actions=_named("dynamodb", grant.actions), resources=resources, conditions=conditions
            )
        case BucketGrant():
            bucket = storage.buckets[grant.bucket]
            return iam.PolicyStatement(
                actions=_named("s3", grant.actions), resources=[bucket.arn_for_objects(grant.prefix)]
            )
        case QueueGrant():
            return iam.PolicyStatement(
                actions=_named("sqs", grant.actions), resources=[queues.queues[grant.queue].queue_arn]
            )
        case KeyGrant():
            return iam.PolicyStatement(
                actions=_named("kms", grant.actions), resources=[key.key_arn for key in storage.keys[grant.keys]]
            )
        case SecretGrant():
            return iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                resources=[storage.secrets[grant.secret].secret_arn],
            )
        case MessageGrant():
            # SNS knows no resource for a telephone: whatever is no topic is one.
            return iam.PolicyStatement(
                sid="SendMessages", actions=["sns:Publish"], not_resources=["arn:aws:sns:*:*:*"]
            )
        case PoolGrant():
            return iam.PolicyStatement(
                actions=_named("cognito-idp", grant.actions), resources=[pool.user_pool_arn]
            )
        case _:
            assert_never(grant)


def _named(service: str, actions: Sequence[str]) -> list[str]:
    return [f"{service}:{action}" for action in actions]


def _send(queue: sqs.Queue, sid: str | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=["sqs:SendMessage"], resources=[queue.queue_arn])


def _consume(queue: sqs.Queue) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="TakeMessages",
        actions=["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        resources=[queue.queue_arn],
    )
