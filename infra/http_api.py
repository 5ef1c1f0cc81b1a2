"""The HTTP API before the main stack's functions: its routes, its authorizer, its stage.

A stack of its own: a route is a resource, and with all routes the main stack would pass the 500 resources that
CloudFormation allows one. It is deployed after the main one, into the same region, and is what the edge calls.
"""

from __future__ import annotations

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Stack, Tags
from constructs import Construct

from infra.resources.api import Api
from infra.stack import AvarezStack

STACK_NAME = "avarez-api"


class ApiStack(Stack):
    """Every route of the table, in front of the functions of the main stack."""

    def __init__(self, scope: Construct, construct_id: str, *, behind: AvarezStack) -> None:
        """The API of ``behind``, whose functions it calls by their names and whose user pool's tokens it takes."""
        super().__init__(
            scope,
            construct_id,
            stack_name=STACK_NAME,
            description="Avarez: the HTTP API",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=True,
        )
        Tags.of(self).add("project", "avarez")
        Tags.of(self).add("owner", "duty-platform")
        self.add_dependency(behind)
        self.api = api = Api(self, "Api", functions_of=behind.stack_name, identity=behind.identity)
        CfnOutput(self, "ApiId", value=api.api.ref)
        CfnOutput(self, "ApiEndpoint", value=api.endpoint)
