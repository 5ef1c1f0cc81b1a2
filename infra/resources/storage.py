"""Tables, buckets, the signing key and the secrets: everything that outlives a deployment."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, SecretValue
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.resources.acknowledgments import acknowledge
from infra.routes import BucketName, KeyPool, SecretName, TableName

DUTY_INDEXES = {"by_plate": "plate", "by_vin": "vin", "by_chassis": "chassis", "by_engine": "engine"}
"""Look-ups only: no decision about money is taken on an index."""

PENDING_INDEX = "pending"
"""Outbox rows by shard and age, so that the sweep reads what waits and nothing else."""

TTL_ATTRIBUTE = "expires_at_epoch"
"""The one attribute by which DynamoDB may delete an item (idempotency records, after 90 days)."""

DOCUMENT_RETENTION_DAYS = 3_653
"""Ten years: the time for which a certificate may be asked for in a dispute."""

UPLOAD_RETENTION_DAYS = 90
PASSING_PREFIXES = ("uploads/", "chunks/", "refused/", "receivables/")
"""A roll's upload, its chunks and its refused rows; what was accepted lives in the table."""

STATUS_RETENTION_DAYS = 30
"""Of a version of a status list. The one that stands is at most an hour old."""

FIGURES_MEMORY_PREFIX = "memory/"
FIGURES_MEMORY_RETENTION_DAYS = 400
"""Of what the builder of the figures remembers; each publication of a city writes it anew."""

LOG_RETENTION_DAYS = 400
"""Access logs of the buckets: one fiscal year and its closing."""

SIGNING_KEYS = ("SigningKey", "SigningKey2", "SigningKey3")
"""The pool: one signs, the next is published and waits, the third makes up for a theft. Append and deploy to
add one; never take one away."""


class Storage(Construct):
    """What is kept. Every table and bucket survives the deletion of the stack."""

    def __init__(self, scope: Construct, construct_id: str, *, public_origin: str) -> None:
        """Tables, buckets, key and secrets; ``public_origin`` may upload rolls from a browser."""
        super().__init__(scope, construct_id)
        self.tables: dict[TableName, dynamodb.Table] = {
            "duty": self._table("Duty"),
            "ledger": self._table("Ledger", stream=dynamodb.StreamViewType.NEW_IMAGE),
            "identity": self._table("Identity"),
        }
        for index, attribute in DUTY_INDEXES.items():
            self.tables["duty"].add_global_secondary_index(
                index_name=index,
                partition_key=dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING),
                projection_type=dynamodb.ProjectionType.INCLUDE,
                non_key_attributes=["vehicle_id"],
            )
        self.tables["ledger"].add_global_secondary_index(
            index_name=PENDING_INDEX,
            partition_key=dynamodb.Attribute(name="pending_shard", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="created_at", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        self.access_logs = self._access_logs()
        self.buckets: dict[BucketName, s3.Bucket] = {
            "documents": self._documents(public_origin),
            "rolls": self._rolls(public_origin),
            "status": self._status_lists(),
            "tariff": self._bucket("Tariff", versioned=True),
            "log": self._bucket("Log", versioned=True),
            "figures": self._figures(),
        }
        self.keys = self._keys()
        self.secrets = self._secrets()

    def _keys(self) -> dict[KeyPool, tuple[kms.Key, ...]]:
        return {
            "signing": tuple(
                self._key(name, "Signs certificates (ECDSA P-256). Never deleted: old certificates name it.")
                for name in SIGNING_KEYS
            ),
            "root": (self._key("KeysRoot", "Signs the list of signing keys (ECDSA P-256) and nothing else."),),
            "log": (
                self._key(
                    "LogKey",
                    "Signs the checkpoints of the transparency log (Ed25519). Never deleted: proofs name it.",
                    kms.KeySpec.ECC_NIST_EDWARDS25519,
                ),
            ),
        }

    def _secrets(self) -> dict[SecretName, secretsmanager.Secret]:
        secrets: dict[SecretName, secretsmanager.Secret] = {
            "gateways": secretsmanager.Secret(
                self,
                "Gateways",
                description="Payment gateways: JSON of name to address, merchant and secret. Filled by hand.",
                secret_string_value=SecretValue.unsafe_plain_text("{}"),
                removal_policy=RemovalPolicy.RETAIN,
            ),
            "owner": self._drawn("OwnerMaster", "Master secret of the owners' keyed hashes and sealing keys."),
            "session": self._drawn(
                "OwnerSessions", "Key of the tokens of owners without an account; a new one ends every session."
            ),
            "webhook": self._drawn(
                "WebhookMaster", "Master secret from which the secrets of the cities' endpoints are derived."
            ),
        }
        acknowledge(
            secrets["webhook"],
            "Each endpoint's secret rotates by its own generation; another master would change all of them.",
            "AwsSolutions-SMG4",
        )
        acknowledge(
            secrets["session"],
            "A token lives for half an hour: a leak is answered by writing another key, which ends every session "
            "at once; rotation by a function would do the same to payers in the middle of a payment.",
            "AwsSolutions-SMG4",
        )
        acknowledge(
            secrets["gateways"],
            "Credentials are given by the gateways' operators and change by their procedure; "
            "there is no interface by which we could rotate them.",
            "AwsSolutions-SMG4",
        )
        acknowledge(
            secrets["owner"],
            "Rotation would break every keyed hash of an owner; a leak is answered by re-keying, "
            "as docs/infrastructure.md says.",
            "AwsSolutions-SMG4",
        )
        return secrets

    def _drawn(self, name: str, description: str) -> secretsmanager.Secret:
        """A secret that nobody types: drawn when it is made."""
        drawn = secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True)
        return secretsmanager.Secret(
            self,
            name,
            description=description,
            generate_secret_string=drawn,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _key(self, name: str, description: str, spec: kms.KeySpec = kms.KeySpec.ECC_NIST_P256) -> kms.Key:
        return kms.Key(
            self,
            name,
            description=description,
            key_spec=spec,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=RemovalPolicy.RETAIN,
            pending_window=Duration.days(30),
        )

    def _table(self, name: str, stream: dynamodb.StreamViewType | None = None) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            time_to_live_attribute=TTL_ATTRIBUTE,
            removal_policy=RemovalPolicy.RETAIN,
            stream=stream,
        )

    def _access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(LOG_RETENTION_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "The bucket that receives the access logs: a log of its own writes would never end.",
            "AwsSolutions-S1",
        )
        return bucket

    def _bucket(self, name: str, *, versioned: bool) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            versioned=versioned,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{name.lower()}/",
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _documents(self, public_origin: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Documents",
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.governance(
                Duration.days(DOCUMENT_RETENTION_DAYS)
            ),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix="documents/",
            removal_policy=RemovalPolicy.RETAIN,
        )
        # A page follows the redirect from GET /v1/certificates/{id}/pdf to the presigned address.
        bucket.add_cors_rule(allowed_methods=[s3.HttpMethods.GET], allowed_origins=[public_origin], max_age=3600)
        return bucket

    def _status_lists(self) -> s3.Bucket:
        """Each version of each list under a name of its own; old ones stay for a while, for whoever asks why."""
        bucket = self._bucket("StatusLists", versioned=False)
        bucket.add_lifecycle_rule(expiration=Duration.days(STATUS_RETENTION_DAYS))
        return bucket

    def _figures(self) -> s3.Bucket:
        """What was published stays. What the builder remembers passes; it reads the chain again then."""
        bucket = self._bucket("Figures", versioned=True)
        bucket.add_lifecycle_rule(
            prefix=FIGURES_MEMORY_PREFIX,
            expiration=Duration.days(FIGURES_MEMORY_RETENTION_DAYS),
            noncurrent_version_expiration=Duration.days(1),
        )
        return bucket

    def _rolls(self, public_origin: str) -> s3.Bucket:
        bucket = self._bucket("Rolls", versioned=False)
        child = bucket.node.default_child
        if not isinstance(child, s3.CfnBucket):
            raise TypeError(child)
        # Set on the resource itself: the CDK's own way adds a function with a managed policy to do it.
        child.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        bucket.add_cors_rule(
            allowed_methods=[s3.HttpMethods.PUT, s3.HttpMethods.POST],
            allowed_origins=[public_origin],
            allowed_headers=["content-type"],
            exposed_headers=["ETag"],
            max_age=3600,
        )
        # The facts of committed rolls stay: simulations and receivables read them for as long as the roll stands.
        for prefix in PASSING_PREFIXES:
            bucket.add_lifecycle_rule(
                prefix=prefix,
                expiration=Duration.days(UPLOAD_RETENTION_DAYS),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        return bucket
