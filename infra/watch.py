"""What watches the main stack and its API: alarms, and the topic that wakes somebody.

A stack of its own: the alarms of each function and queue would take a quarter of the 500 resources that
CloudFormation allows a stack. It is deployed after the main one, into the same region.
"""

from __future__ import annotations

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Stack, Tags
from constructs import Construct

from infra.http_api import ApiStack
from infra.resources.alarms import Alarms
from infra.stack import AvarezStack

STACK_NAME = "avarez-watch"


class WatchStack(Stack):
    """Alarms over everything that the main stack runs."""

    def __init__(self, scope: Construct, construct_id: str, *, watched: AvarezStack, api: ApiStack) -> None:
        """The alarms of ``watched`` and of its API, whose names they take as exports."""
        super().__init__(
            scope,
            construct_id,
            stack_name=STACK_NAME,
            description="Avarez: alarms, and whom they wake",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=True,
        )
        Tags.of(self).add("project", "avarez")
        Tags.of(self).add("owner", "duty-platform")
        alarms = Alarms(
            self,
            "Alarms",
            functions=watched.functions.functions,
            dead_letters=watched.queues.dead_letters,
            queues={str(name): queue for name, queue in watched.queues.queues.items()},
            api_id=api.api.api.ref,
        )
        CfnOutput(self, "AlarmTopicArn", value=alarms.topic.topic_arn)
