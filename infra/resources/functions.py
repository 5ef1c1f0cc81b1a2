"""The Lambda functions: one per entry point, each with a role and a log of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import assert_never

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.packaging.build import Assets
from infra.resources.acknowledgments import acknowledge
from infra.resources.identity import Identity
from infra.resources.permissions import statements, wildcard_findings
from infra.resources.queues import Queues
from infra.resources.storage import Storage
from infra.routes import (
    ENTRY_POINTS,
    EntryPoint,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    TokenTrigger,
)

LOG_RETENTION = logs.RetentionDays.ONE_YEAR
"""One fiscal year: the time within which a payment may be disputed from the log."""

EVENT_AGE_MINUTES = 10
"""An event that waited longer is stale: the next tick of the clock does its work."""

RULE_TARGETS_MAX = 5
"""Source: EventBridge quotas, targets of a rule."""

STREAM_RETRIES = 5
"""Then the record goes aside; the sweep over outbox rows does the work in any case."""


class Functions(Construct):
    """Every entry point of the table as a function, with its trigger attached."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assets: Assets,
        storage: Storage,
        queues: Queues,
        identity: Identity,
        public_origin: str,
        webhook_loopback: str,
        messages_to: str,
    ) -> None:
        """The functions; ``assets`` holds their code, built beforehand."""
        super().__init__(scope, construct_id)
        self._storage = storage
        self._queues = queues
        self._identity = identity
        self._settings = settings(
            storage=storage,
            queues=queues,
            identity=identity,
            public_origin=public_origin,
            webhook_loopback=webhook_loopback,
            messages_to=messages_to,
        )
        self._layer = lambda_.LayerVersion(
            self,
            "Common",
            description="Package avarez and what every function imports",
            code=lambda_.Code.from_asset(str(assets.layer.path), asset_hash=assets.layer.content_hash),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            removal_policy=RemovalPolicy.RETAIN,
        )
        self._ticks: dict[int, list[tuple[events.Rule, int]]] = {}
        self.functions: dict[str, lambda_.Function] = {}
        for entry in ENTRY_POINTS:
            own = Construct(self, _title(entry.name))
            function = self._function(own, entry, assets)
            self.functions[entry.name] = function
            self._attach(own, entry, function)

    def _function(self, scope: Construct, entry: EntryPoint, assets: Assets) -> lambda_.Function:
        name = f"{Stack.of(self).stack_name}-{entry.name}"
        log = logs.LogGroup(
            scope,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            scope,
            "Role",
            description=f"What {entry.handler} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "Grants": iam.PolicyDocument(
                    statements=statements(
                        entry,
                        storage=self._storage,
                        queues=self._queues,
                        pool=self._identity.pool,
                        log_group_arn=log.log_group_arn,
                    )
                )
            },
        )
        self._accept(entry, role)
        code = assets.functions[entry.name]
        function = lambda_.Function(
            scope,
            "Function",
            function_name=name,
            description=entry.handler,
            handler=entry.handler,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(code.path), asset_hash=code.content_hash),
            layers=[self._layer],
            role=role.without_policy_updates(),
            environment={
                **{setting: self._settings[setting] for setting in entry.environment},
                "POWERTOOLS_SERVICE_NAME": entry.name,
                "POWERTOOLS_METRICS_NAMESPACE": "Avarez",
                "LOG_LEVEL": "INFO",
            },
            timeout=Duration.seconds(entry.timeout_s),
            memory_size=entry.memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            reserved_concurrent_executions=entry.reserved_concurrency,
            dead_letter_queue=self._queues.failed_events if entry.is_asynchronous else None,
        )
        acknowledge(
            function,
            "The runtime is the one the assets are compiled for; it moves with them, not with the CDK.",
            "AwsSolutions-L1",
            "Serverless-LambdaLatestVersion",
        )
        if not entry.is_asynchronous:
            acknowledge(
                function,
                "Never invoked asynchronously: its caller (HTTP API, queue, stream or user pool) sees every "
                "failure, and the queue and the stream have their own dead-letter queues.",
                "Serverless-LambdaDLQ",
            )
        return function

    def _accept(self, entry: EntryPoint, role: iam.Role) -> None:
        acknowledge(
            role,
            "X-Ray's two sending actions know no narrower resource than the star.",
            "AwsSolutions-IAM5[Resource::*]",
            "Serverless-LambdaStarPermissions",
        )
        stack = Stack.of(self)
        logical_ids = {}
        for name, bucket in self._storage.buckets.items():
            child = bucket.node.default_child
            if child is None:
                raise TypeError(bucket)
            logical_ids[str(name)] = str(stack.get_logical_id(child))  # type: ignore[arg-type]  # a bucket's child is its resource
        findings = wildcard_findings(entry, logical_ids)
        if findings:
            acknowledge(
                role,
                "Objects are named by content or by id: the right covers one prefix of one bucket.",
                *findings,
            )

    def _attach(self, scope: Construct, entry: EntryPoint, function: lambda_.Function) -> None:
        match entry.trigger:
            case QueueTrigger() as trigger:
                mapping = lambda_.EventSourceMapping(
                    scope,
                    "Messages",
                    target=function,
                    event_source_arn=self._queues.queues[trigger.queue].queue_arn,
                    batch_size=trigger.batch_size,
                    max_concurrency=trigger.max_concurrency,
                    report_batch_item_failures=True,
                )
                acknowledge(
                    mapping,
                    "A queue's failed messages go to the queue's own dead-letter queue.",
                    "Serverless-LambdaEventSourceMappingDestination",
                )
            case StreamTrigger() as trigger:
                lambda_.CfnEventSourceMapping(
                    scope,
                    "Records",
                    function_name=function.function_name,
                    event_source_arn=self._storage.tables["ledger"].table_stream_arn,
                    starting_position="TRIM_HORIZON",
                    batch_size=trigger.batch_size,
                    bisect_batch_on_function_error=True,
                    maximum_retry_attempts=STREAM_RETRIES,
                    function_response_types=["ReportBatchItemFailures"],
                    destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                        on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                            destination=self._queues.failed_stream_records.queue_arn
                        )
                    ),
                    filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                        filters=[
                            lambda_.CfnEventSourceMapping.FilterProperty(pattern=inserted(*prefixes))
                            for prefixes in trigger.prefixes
                        ]
                    ),
                )
            case ScheduleTrigger() as trigger:
                self._aim(self._tick(trigger.every_minutes), function)
            case ObjectTrigger() as trigger:
                rule = events.Rule(
                    scope,
                    "Rule",
                    description=f"{trigger.bucket}/{trigger.prefix}: {entry.handler}",
                    event_pattern=events.EventPattern(
                        source=["aws.s3"],
                        detail_type=["Object Created"],
                        detail={
                            "bucket": {"name": [self._storage.buckets[trigger.bucket].bucket_name]},
                            "object": {"key": [{"prefix": trigger.prefix}]},
                        },
                    ),
                )
                self._aim(rule, function)
            case TokenTrigger():
                self._identity.add_token_trigger(function)
            case None:
                pass
            case _:
                assert_never(entry.trigger)

    def _tick(self, minutes: int) -> events.Rule:
        """A clock with room for one more function: one each would take a resource of the stack for each."""
        rules = self._ticks.setdefault(minutes, [])
        if not rules or rules[-1][1] == RULE_TARGETS_MAX:
            name = f"Every{minutes}Minutes{len(rules) + 1}"
            every = events.Schedule.rate(Duration.minutes(minutes))
            rules.append((events.Rule(self, name, description=f"Every {minutes} min", schedule=every), 0))
        rule, targets_before = rules[-1]
        rules[-1] = rule, targets_before + 1
        return rule

    def _aim(self, rule: events.Rule, function: lambda_.Function) -> None:
        rule.add_target(
            targets.LambdaFunction(
                function,
                dead_letter_queue=self._queues.failed_events,
                max_event_age=Duration.minutes(EVENT_AGE_MINUTES),
                retry_attempts=2,
            )
        )


def inserted(partition_prefix: str, sort_prefix: str) -> str:
    """The filter for new items whose keys begin so; an empty prefix asks nothing of the sort key."""
    wanted = {"pk": partition_prefix, "sk": sort_prefix}
    keys = {name: {"S": [{"prefix": prefix}]} for name, prefix in wanted.items() if prefix}
    return json.dumps({"eventName": ["INSERT"], "dynamodb": {"Keys": keys}})


def settings(
    *,
    storage: Storage,
    queues: Queues,
    identity: Identity,
    public_origin: str,
    webhook_loopback: str,
    messages_to: str,
) -> Mapping[str, str]:
    """Every setting a function may ask for, by its name in the environment."""
    return {
        "DUTY_TABLE": storage.tables["duty"].table_name,
        "LEDGER_TABLE": storage.tables["ledger"].table_name,
        "IDENTITY_TABLE": storage.tables["identity"].table_name,
        "DOCUMENTS_BUCKET": storage.buckets["documents"].bucket_name,
        "ROLLS_BUCKET": storage.buckets["rolls"].bucket_name,
        "TARIFF_BUCKET": storage.buckets["tariff"].bucket_name,
        "SIGNING_KEY_IDS": ",".join(key.key_arn for key in storage.keys["signing"]),
        "KEYS_ROOT_ID": storage.keys["root"][0].key_arn,
        "LOG_KEY_ID": storage.keys["log"][0].key_arn,
        "LOG_BUCKET": storage.buckets["log"].bucket_name,
        "FIGURES_BUCKET": storage.buckets["figures"].bucket_name,
        "LOG_QUEUE_URL": queues.queues["log"].queue_url,
        "STATUS_BUCKET": storage.buckets["status"].bucket_name,
        "STATUS_QUEUE_URL": queues.queues["status"].queue_url,
        "CERTIFY_QUEUE_URL": queues.queues["certify"].queue_url,
        "VERIFY_PAYMENT_QUEUE_URL": queues.queues["verify-payment"].queue_url,
        "ROLL_STAGE_QUEUE_URL": queues.queues["roll-stage"].queue_url,
        "FLEET_ASSESS_QUEUE_URL": queues.queues["fleet-assess"].queue_url,
        "RECONCILE_QUEUE_URL": queues.queues["reconcile"].queue_url,
        "BANK_FILE_QUEUE_URL": queues.queues["bank-file"].queue_url,
        "TARIFF_SIMULATE_QUEUE_URL": queues.queues["tariff-simulate"].queue_url,
        "DELIVER_QUEUE_URL": queues.queues["deliver"].queue_url,
        "SEQUENCE_QUEUE_URL": queues.queues["sequence"].queue_url,
        "GATEWAYS_SECRET_ARN": storage.secrets["gateways"].secret_arn,
        "SESSION_SECRET_ARN": storage.secrets["session"].secret_arn,
        "WEBHOOK_SECRET_ARN": storage.secrets["webhook"].secret_arn,
        "WEBHOOK_LOOPBACK": webhook_loopback,
        "MESSAGES_TO": messages_to,
        "OWNER_SECRET_ARN": storage.secrets["owner"].secret_arn,
        "USER_POOL_ID": identity.pool.user_pool_id,
        "USER_POOL_CLIENT_ID": identity.client.user_pool_client_id,
        "TOKEN_ISSUER": identity.issuer,
        "PUBLIC_ORIGIN": public_origin,
    }


def _title(name: str) -> str:
    return "".join(word.title() for word in name.split("-"))
