"""Queues, each with a queue for what could not be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.resources.acknowledgments import acknowledge
from infra.routes import ENTRY_POINTS, QueueName, QueueTrigger

MAX_RECEIVES = 5
"""A message that failed five times is poison: it goes aside and an alarm rings."""

VISIBILITY_FACTOR = 6
"""Source: Lambda developer guide, SQS: visibility at least six times the function's timeout."""

LOG_DELAY_S = 3
"""Longer than the two seconds whose certificates share one wake-up, by the second that a clock may be wrong."""

RETENTION_DAYS = 14
"""The longest SQS keeps a message."""

FIFO_DELAY_S = 1
"""Wake-ups carry the second they were sent in as their deduplication id; who waits it out has seen them all."""


def visibility_timeout_s(name: QueueName) -> int:
    """Six times the timeout of the function that consumes the queue."""
    for entry in ENTRY_POINTS:
        if isinstance(entry.trigger, QueueTrigger) and entry.trigger.queue == name:
            return VISIBILITY_FACTOR * entry.timeout_s
    raise KeyError(name)


class Queues(Construct):
    """The work queues, and one queue for events that no function took."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """The work queues with a dead-letter queue each, and those of events and of the stream."""
        super().__init__(scope, construct_id)
        self.dead_letters: dict[str, sqs.Queue] = {}
        self.queues: dict[QueueName, sqs.Queue] = {
            "certify": self._queue("Certify", "certify"),
            "status": self._queue("Status", "status"),
            "verify-payment": self._queue("VerifyPayment", "verify-payment"),
            "roll-stage": self._queue("RollStage", "roll-stage"),
            "tariff-simulate": self._queue("TariffSimulate", "tariff-simulate"),
            "fleet-assess": self._queue("FleetAssess", "fleet-assess"),
            "bank-file": self._queue("BankFile", "bank-file"),
            "reconcile": self._queue("Reconcile", "reconcile"),
            "log": self._queue("Log", "log", first_in_first_out_after_s=LOG_DELAY_S),
            "deliver": self._queue("Deliver", "deliver", first_in_first_out_after_s=FIFO_DELAY_S),
            "sequence": self._queue("Sequence", "sequence", first_in_first_out_after_s=FIFO_DELAY_S),
        }
        self.failed_stream_records = self._dead_letter_queue("FailedStreamRecords")
        self._deny_plain_http([*self.queues.values(), *self.dead_letters.values()])
        # Rules add to this one's policy what they may send, so it has a policy of its own.
        self.failed_events = self._dead_letter_queue("FailedEvents", enforce_ssl=True)

    def _deny_plain_http(self, queues: Sequence[sqs.Queue]) -> None:
        """One policy for all of them: one each would take a twentieth of what a stack may hold.

        Source: CloudFormation reference, AWS::SQS::QueuePolicy: the policy is set on each queue of the list, and
        the star in it is that queue.
        """
        policy = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["sqs:*"],
                    resources=["*"],
                    conditions={"Bool": {"aws:SecureTransport": "false"}},
                )
            ]
        )
        sqs.CfnQueuePolicy(
            self, "PlainHttpDenied", queues=[queue.queue_url for queue in queues], policy_document=policy
        )

    def _queue(
        self, construct_id: str, name: QueueName, *, first_in_first_out_after_s: int | None = None
    ) -> sqs.Queue:
        """With a delay, one message at a time in the order of sending, each held back for so long."""
        ordered = first_in_first_out_after_s is not None
        return sqs.Queue(
            self,
            construct_id,
            fifo=True if ordered else None,
            delivery_delay=None
            if first_in_first_out_after_s is None
            else Duration.seconds(first_in_first_out_after_s),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            visibility_timeout=Duration.seconds(visibility_timeout_s(name)),
            retention_period=Duration.days(RETENTION_DAYS),
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=MAX_RECEIVES,
                queue=self._dead_letter_queue(f"{construct_id}Dead", ordered=ordered),
            ),
        )

    def _dead_letter_queue(
        self, construct_id: str, *, ordered: bool = False, enforce_ssl: bool | None = None
    ) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct_id,
            fifo=True if ordered else None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=enforce_ssl,
            retention_period=Duration.days(RETENTION_DAYS),
        )
        self.dead_letters[construct_id] = queue
        acknowledge(
            queue,
            "It is a dead-letter queue itself; an alarm watches its depth.",
            "AwsSolutions-SQS3",
            "Serverless-SQSRedrivePolicy",
        )
        return queue
