"""Alarms: what wakes somebody. docs/operations.md says what to do about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.routes import ENTRY_POINTS, ScheduleTrigger, StreamTrigger

NAMESPACE = "Avarez"

MAX_QUEUE_AGE_S = 300
"""A certificate that waits five minutes keeps a citizen at the counter."""

MAX_STREAM_AGE_MS = 60_000
"""The sweep takes over after 20 s: a minute's lag says that both are slow."""

BUSINESS_METRICS = {
    "payment_suspense": "Money came that belongs to no duty: a person must match or return it.",
    "amount_mismatch": "A gateway confirmed another amount than the payment's.",
    "reference_reused": "A gateway's reference was used for a second payment.",
    "invariant_broken": "The books are not whole: docs/ledger.md says what each invariant means.",
    "unexplained_rial": "A gateway's or a bank's books differ from ours: docs/reconciliation.md says what to do.",
    "reconciliation_open": "Something of a day is still open a day after it should have been explained.",
    "confirmed_unplaced": "A gateway confirmed money that found no place in the ledger: look at once.",
}
"""Metrics of the functions of which a single one is an alarm."""

LOG_METRICS = {
    "log_behind": ("certify-log-sweep", "A certificate waits for its place in the transparency log for a minute."),
    "log_forked": (
        "certify-log-witnesses",
        "A city holds a checkpoint that our key signed and that is not our log's.",
    ),
}
"""Metrics of the transparency log of which a single one is an alarm, and the one function that writes each."""
AGES = {
    "payment_oldest_unresolved_s": ("pay-sweep", 3_600, "A gateway payment is open beyond every window."),
    "certificate_oldest_waiting_s": ("certify-sweep", 300, "Somebody has paid and waits for the certificate."),
}
"""Ages in seconds: who writes each, when it is an alarm, and why. All windows end within 47 minutes."""

SETTLING = (
    "pay-handler",
    "pay-terminals",
    "pay-bank-lines",
    "pay-callback",
    "pay-verify-queue",
    "pay-sweep",
    "pay-invariants",
    "pay-reconcile",
    "pay-reconcile-queue",
)
"""The functions that may write them; each does so under its own name as the dimension `service`."""

KEY_METRICS = {
    "signing_key_standby_missing": "No signing key waits to take over: deploy one more.",
    "signing_key_compromised": "Somebody marked a signing key as stolen.",
}
"""Metrics of the signing keys, of which a single one is an alarm."""

KEEPING_KEYS = ("certify-keys", "certify-publish")
"""The functions that may write them."""

CHAIN_METRICS = {
    "entries_unchained": "Journal entries have waited for over a minute for their place in the chain.",
    "chain_refused": "Events cannot be placed in their city's chain: something was written around our code.",
}
"""The same, of the functions that write the chain."""

CHAINING = ("pay-sequencer", "pay-chain-sweep")
"""The functions that may write them."""

DELIVERY_METRICS = {
    "webhook_endpoint_failing": "A city's endpoint has failed for an hour, a day, five days, or is gone.",
}
"""The same, of the function that brings events to the cities."""

DELIVERING = ("pay-deliver",)
"""The function that may write them."""

ACCOUNT_METRICS = {
    "account_change_approved": "A city's bank account is about to change: ask the city by a way of your own.",
    "account_change_cancelled": "A change of a city's bank account was called off: somebody may have tried.",
}
"""The same, of the changes of cities' accounts."""

ACCOUNTING = ("pay-accounts",)
"""The function that may write them."""

FIGURE_METRICS = {
    "figures_refused": "A city's chain does not hold, or an event of it cannot be read: its figures stand still.",
}
"""The same, of the function that builds the public figures."""

FIGURING = ("report-build",)
"""The function that may write them."""

RECEIVABLE_METRICS = {
    "receivables_refused": "A city's chain does not hold, or an event of it cannot be read: it keeps its table.",
}
"""The same, of the function that computes what cities are owed."""

COUNTING = ("assess-receivables",)
"""The function that may write them."""

SETTLEMENT_METRICS = {
    "settlement_overdue": "A city's day is not closed three hours after its end.",
    "settlement_failed": "A city's day cannot be closed: its chain or its setting is at fault.",
    "transfer_account_missing": "A city is owed a transfer and has no account in force.",
    "transfer_differs": "A bank statement contradicts a transfer.",
    "transfer_unmatched": "A transfer was sent, and no bank statement has it after two working days.",
    "bank_calendar_ends": "The bank's calendar knows no holidays of the time a month ahead.",
}
"""The same, of the function that closes the cities' days."""

CLOSING = ("pay-settle",)
"""The function that may write them."""

FILE_METRICS = {
    "event_files_failed": "The daily files of a city's events could not be made.",
}
"""The same, of the daily files."""

FILING = ("certify-event-files",)
"""The function that may write them."""

EXCHANGE_METRICS = {
    "exchange_refused": "A city's chain does not hold, or an event of it cannot be read: it is not reported on.",
}
"""The same, of the national exchange."""

EXCHANGING = ("pay-settle",)
"""The function that may write them."""

REMINDER_METRICS = {
    "message_not_sent": "A message to an owner was not taken: it is not sent again.",
    "messages_day_full": "The day's most messages are used up: the rest waits for tomorrow.",
}
"""The same, of the messages to owners."""

REMINDING = ("assess-reminder-sweep",)
"""The function that may write them."""

METRICS = (
    (BUSINESS_METRICS, SETTLING),
    (KEY_METRICS, KEEPING_KEYS),
    (CHAIN_METRICS, CHAINING),
    (DELIVERY_METRICS, DELIVERING),
    (SETTLEMENT_METRICS, CLOSING),
    (ACCOUNT_METRICS, ACCOUNTING),
    (FIGURE_METRICS, FIGURING),
    (RECEIVABLE_METRICS, COUNTING),
    (FILE_METRICS, FILING),
    (EXCHANGE_METRICS, EXCHANGING),
    (REMINDER_METRICS, REMINDING),
)


class Alarms(Construct):
    """One topic, and an alarm for each thing that must not go unnoticed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function],
        dead_letters: Mapping[str, sqs.Queue],
        queues: Mapping[str, sqs.Queue],
        api_id: str,
    ) -> None:
        """Alarms on dead letters, errors, throttles, queue and stream age, API faults, and money."""
        super().__init__(scope, construct_id)
        key = kms.Key(
            self,
            "TopicKey",
            description="Encrypts alarm messages",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        self._action = actions.SnsAction(self.topic)
        self._watch_queues(dead_letters, queues)
        self._watch_functions(functions)
        self._watch_api(api_id)
        self._watch_metrics()

    def _watch_queues(self, dead_letters: Mapping[str, sqs.Queue], queues: Mapping[str, sqs.Queue]) -> None:
        for name, queue in dead_letters.items():
            self._alarm(
                f"{name}NotEmpty",
                queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=Duration.minutes(1)
                ),
                threshold=0,
                description=f"Dead letters in {name}",
            )
        for name, queue in queues.items():
            self._alarm(
                f"{_title(name)}Old",
                queue.metric_approximate_age_of_oldest_message(period=Duration.minutes(1)),
                threshold=MAX_QUEUE_AGE_S,
                description=f"The oldest message of {name} is over {MAX_QUEUE_AGE_S} s old",
            )

    def _watch_functions(self, functions: Mapping[str, lambda_.Function]) -> None:
        for entry in ENTRY_POINTS:
            function = functions[entry.name]
            title = _title(entry.name)
            self._alarm(
                f"{title}Errors",
                function.metric_errors(period=Duration.minutes(1)),
                threshold=0,
                description=f"{entry.handler} raised: handlers catch everything at their edge",
            )
            if not isinstance(entry.trigger, ScheduleTrigger):
                self._alarm(
                    f"{title}Throttles",
                    function.metric_throttles(period=Duration.minutes(1)),
                    threshold=0,
                    description=f"{entry.handler} was throttled",
                )
            if isinstance(entry.trigger, StreamTrigger):
                self._alarm(
                    f"{title}IteratorAge",
                    function.metric("IteratorAge", statistic="Maximum", period=Duration.minutes(1)),
                    threshold=MAX_STREAM_AGE_MS,
                    description="The ledger's stream is read late; the sweep does its work meanwhile",
                )

    def _watch_api(self, api_id: str) -> None:
        self._alarm(
            "ApiFaults",
            cloudwatch.Metric(
                namespace="AWS/ApiGateway",
                metric_name="5xx",
                dimensions_map={"ApiId": api_id},
                statistic="Sum",
                period=Duration.minutes(1),
            ),
            threshold=5,
            description="The API answered more than five 5xx in a minute",
        )

    def _watch_metrics(self) -> None:
        for metrics, services in METRICS:
            for metric, description in metrics.items():
                self._alarm(metric, _sum_over_services(metric, services), threshold=0, description=description)
        for metric, (service, description) in LOG_METRICS.items():
            self._alarm(
                _title(metric.replace("_", "-")),
                cloudwatch.Metric(
                    namespace=NAMESPACE,
                    metric_name=metric,
                    dimensions_map={"service": service},
                    statistic="Sum",
                    period=Duration.minutes(5),
                ),
                threshold=0,
                description=description,
            )
        for metric, (service, most_s, description) in AGES.items():
            self._alarm(
                metric,
                cloudwatch.Metric(
                    namespace=NAMESPACE,
                    metric_name=metric,
                    dimensions_map={"service": service},
                    statistic="Maximum",
                    period=Duration.minutes(5),
                ),
                threshold=most_s,
                description=description,
            )

    def _alarm(self, name: str, metric: cloudwatch.IMetric, *, threshold: float, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(self._action)


def _sum_over_services(metric: str, services: Sequence[str]) -> cloudwatch.IMetric:
    """The metric of every function that may write it, added up."""
    period = Duration.minutes(5)
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL(m{number}, 0)" for number in range(len(services))),
        label=metric,
        period=period,
        using_metrics={
            f"m{number}": cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=metric,
                dimensions_map={"service": service},
                statistic="Sum",
                period=period,
            )
            for number, service in enumerate(services)
        },
    )


def _title(name: str) -> str:
    return "".join(word.title() for word in name.split("-"))
