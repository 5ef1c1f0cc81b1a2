"""The main stack: the functions and all that they keep.

Before it stand the HTTP API (infra/http_api.py) and CloudFront (infra/delivery.py); infra/watch.py watches it.
"""

from __future__ import annotations

from aws_cdk import CfnOutput, CfnParameter, DefaultStackSynthesizer, Stack, Tags
from constructs import Construct

from infra.packaging.build import Assets
from infra.resources.functions import Functions
from infra.resources.identity import Identity
from infra.resources.queues import Queues
from infra.resources.storage import Storage

STACK_NAME = "avarez"


class AvarezStack(Stack):
    """Tables, functions, queues, identities."""

    def __init__(self, scope: Construct, construct_id: str, *, assets: Assets) -> None:
        """The stack, in whatever account and region deploys it."""
        super().__init__(
            scope,
            construct_id,
            stack_name=STACK_NAME,
            description="Avarez: the annual vehicle duty of municipalities",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=True,
        )
        Tags.of(self).add("project", "avarez")
        Tags.of(self).add("owner", "duty-platform")
        origin = CfnParameter(
            self,
            "PublicOrigin",
            type="String",
            description="The origin that citizens see, in certificates and links: https://avarez.example",
            allowed_pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$",
        )
        loopback = CfnParameter(
            self,
            "WebhookLoopback",
            type="String",
            default="refused",
            allowed_values=["refused", "allowed"],
            description="Whether endpoints on the machine itself may be registered: for the local run alone",
        )
        messages = CfnParameter(
            self,
            "MessagesTo",
            type="String",
            default="sns",
            allowed_pattern=r"^(sns|file:/.{1,200})$",
            description="Where messages to owners go: to SNS, or into a file for the local run alone",
        )
        storage = Storage(self, "Storage", public_origin=origin.value_as_string)
        self.queues = queues = Queues(self, "Queues")
        self.identity = identity = Identity(self, "Identity")
        self.functions = Functions(
            self,
            "Functions",
            assets=assets,
            storage=storage,
            queues=queues,
            identity=identity,
            public_origin=origin.value_as_string,
            webhook_loopback=loopback.value_as_string,
            messages_to=messages.value_as_string,
        )
        outputs = {
            "UserPoolId": identity.pool.user_pool_id,
            "UserPoolClientId": identity.client.user_pool_client_id,
            "DutyTableName": storage.tables["duty"].table_name,
            "LedgerTableName": storage.tables["ledger"].table_name,
            "IdentityTableName": storage.tables["identity"].table_name,
            "DocumentsBucketName": storage.buckets["documents"].bucket_name,
            "RollsBucketName": storage.buckets["rolls"].bucket_name,
            "TariffBucketName": storage.buckets["tariff"].bucket_name,
            "GatewaysSecretArn": storage.secrets["gateways"].secret_arn,
            "SigningKeyId": storage.keys["signing"][0].key_id,
            "KeysRootId": storage.keys["root"][0].key_id,
            "CertifyQueueUrl": queues.queues["certify"].queue_url,
            "OwnerSecretArn": storage.secrets["owner"].secret_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
