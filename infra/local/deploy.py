"""Puts the synthesised stacks into the engine, closes the engine's known gaps and proves that they are closed.

The engine's CloudFormation reports success while it leaves out some properties (see `docs/local-system.md`).
`mend` sets them by API calls taken from the template itself and then asks each service: what runs is what the
template says, or the deployment fails.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.engine import ACCOUNT, REGION, Engine

STACK_NAMES = ("avarez", "avarez-api")
"""What runs here, in the order of who needs whom; alarms and CloudFront have no engine."""
DEPLOY_VERSION = 2
"""Raise it when this file deploys in another way, so that existing data folders deploy again."""
DEPLOY_TIMEOUT_SECONDS = 180.0
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class DeployError(Exception):
    """A stack could not be put into the engine as its template says."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment leaves: the outputs of all stacks, and whether anything was changed."""

    outputs: Mapping[str, str]
    changed: bool


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that the template refers to, and where the synthesiser wants it."""

    source: Path
    packaging: str
    bucket: str
    key: str

    def content(self) -> bytes:
        """The bytes to upload; a folder becomes a zip whose bytes depend on its content only."""
        if self.packaging == "file":
            return self.source.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(path for path in self.source.rglob("*") if path.is_file()):
                info = zipfile.ZipInfo(path.relative_to(self.source).as_posix(), ZIP_DATE)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
                archive.writestr(info, path.read_bytes())
        return buffer.getvalue()


def _here(text: str) -> str:
    return (
        text.replace("${AWS::AccountId}", ACCOUNT)
        .replace("${AWS::Region}", REGION)
        .replace("${AWS::Partition}", "aws")
    )


def artifact_of(cdk_out: Path, stack_name: str) -> str:
    """The name under which the assembly keeps that stack's template and assets.

    Raises: DeployError when the assembly has no such stack.
    """
    manifest = json.loads((cdk_out / "manifest.json").read_text("utf-8"))
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack" and (
            artifact.get("properties", {}).get("stackName", name) == stack_name
        ):
            return str(name)
    raise DeployError(f"the assembly has no stack named {stack_name}")


def assets_of(cdk_out: Path, artifact: str) -> list[Asset]:
    """Every file asset of that stack.

    Raises: DeployError when one that the assembly names is missing on disk.
    """
    manifest = json.loads((cdk_out / f"{artifact}.assets.json").read_text("utf-8"))
    found = []
    for entry in manifest["files"].values():
        source = cdk_out / entry["source"]["path"]
        if not source.exists():
            raise DeployError(f"the assembly names an asset that is not there: {entry['source']['path']}")
        for destination in entry["destinations"].values():
            found.append(
                Asset(
                    source=source,
                    packaging=entry["source"].get("packaging", "file"),
                    bucket=_here(destination["bucketName"]),
                    key=_here(destination["objectKey"]),
                )
            )
    return found


def upload_assets(engine: Engine, assets: list[Asset]) -> dict[str, str]:
    """All assets are in the engine's buckets; answers the base-64 SHA-256 of each `bucket/key`."""
    s3 = engine.client("s3")
    for bucket in sorted({asset.bucket for asset in assets}):
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError:
            s3.create_bucket(Bucket=bucket)

    def upload(asset: Asset) -> tuple[str, str]:
        content = asset.content()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        try:
            present = s3.head_object(Bucket=asset.bucket, Key=asset.key).get("Metadata", {}).get("sha256")
        except ClientError:
            present = None
        if present != digest:
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=content, Metadata={"sha256": digest})
        return f"{asset.bucket}/{asset.key}", digest

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(pool.map(upload, assets))


def _fingerprint(cdk_out: Path, artifact: str, parameters: Mapping[str, str], before: str) -> str:
    """Of what the stack is made, and of all that was deployed before it: its imports come from there."""
    digest = hashlib.sha256()
    digest.update(json.dumps([DEPLOY_VERSION, sorted(parameters.items()), before]).encode())
    for name in (f"{artifact}.template.json", f"{artifact}.assets.json"):
        digest.update((cdk_out / name).read_bytes())
    return digest.hexdigest()


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError:
        return None
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failures(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    told = [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if "FAILED" in event.get("ResourceStatus", "")
    ]
    return "; ".join(told[:5]) or "no reason given"


def _wait(cloudformation: Any, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + DEPLOY_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        stack = _stack(cloudformation, name)
        if stack is None:
            raise DeployError(f"{name} vanished while it was being deployed")
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.1)
    raise DeployError(f"{name} was not ready within {DEPLOY_TIMEOUT_SECONDS:.0f} s")


def deploy(engine: Engine, cdk_out: Path, parameters: Mapping[str, str]) -> Deployed:
    """The stacks of the assembly run in the engine, with these parameters; state is on disk.

    Does nothing but read where template, assets and parameters are those of the last deployment.

    Raises: DeployError.
    """
    record = engine.data_dir / "deployed.json"
    stored = json.loads(record.read_text("utf-8")) if record.exists() else {}
    outputs: dict[str, str] = {}
    deployed: dict[str, dict[str, str]] = {}
    fingerprint, changed = "", False
    for name in STACK_NAMES:
        artifact = artifact_of(cdk_out, name)
        fingerprint = _fingerprint(cdk_out, artifact, parameters, fingerprint)
        stack = _stack(engine.client("cloudformation"), name)
        if stack is None or stored.get(name) != {"fingerprint": fingerprint, "stack_id": stack["StackId"]}:
            stack = _put(engine, cdk_out, name, parameters, stack)
            changed = True
        deployed[name] = {"fingerprint": fingerprint, "stack_id": stack["StackId"]}
        outputs |= _outputs(stack)
    if changed:
        engine.checkpoint()
        record.write_text(json.dumps(deployed) + "\n", "utf-8")
    return Deployed(outputs, changed)


def _put(
    engine: Engine, cdk_out: Path, name: str, parameters: Mapping[str, str], stack: dict[str, Any] | None
) -> dict[str, Any]:
    """The stack as it runs after its template was created or updated in the engine, and mended."""
    cloudformation = engine.client("cloudformation")
    artifact = artifact_of(cdk_out, name)
    assets = assets_of(cdk_out, artifact)
    digests = upload_assets(engine, assets)
    template: dict[str, Any] = json.loads((cdk_out / f"{artifact}.template.json").read_text("utf-8"))
    body = json.dumps(template, sort_keys=True).encode()
    template_key = f"templates/{hashlib.sha256(body).hexdigest()}.json"
    bucket = assets[0].bucket if assets else f"cdk-local-assets-{ACCOUNT}"
    engine.client("s3").put_object(Bucket=bucket, Key=template_key, Body=body)
    arguments = {
        "StackName": name,
        "TemplateURL": f"{engine.url}/{bucket}/{template_key}",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        "Parameters": [
            {"ParameterKey": parameter, "ParameterValue": value}
            for parameter, value in sorted(parameters.items())
            if parameter in template.get("Parameters", {})
        ],
    }
    if stack is not None and stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED"):
        cloudformation.delete_stack(StackName=name)
        stack = None
    try:
        if stack is None:
            cloudformation.create_stack(**arguments)
        else:
            cloudformation.update_stack(**arguments)
    except ClientError as error:
        if "No updates" not in str(error):
            raise DeployError(str(error)) from error
    stack = _wait(cloudformation, name)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeployError(f"{name}: {stack['StackStatus']}: {_failures(cloudformation, name)}")
    mend(engine, name, template, digests, parameters)
    return stack


# --- What the engine's CloudFormation leaves out ---------------------------------------------------------


class Resolver:
    """Physical ids of the running stack, and the template's literal values."""

    def __init__(self, physical_ids: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._ids = physical_ids
        self._parameters = parameters

    def id_of(self, logical_id: str) -> str:
        """The running resource's id. Raises: DeployError when the engine made none."""
        physical = self._ids.get(logical_id)
        if not physical:
            raise DeployError(f"the engine made no {logical_id}")
        return physical

    def literal(self, value: Any) -> Any:
        """The value with references replaced where that needs nothing but ids; others become None."""
        if isinstance(value, dict):
            if set(value) == {"Ref"}:
                known = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
                return {**self._ids, **self._parameters, **known}.get(value["Ref"])
            if len(value) == 1 and next(iter(value)).startswith("Fn::"):
                return None
            return {name: self.literal(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.literal(part) for part in value]
        return value


def _expect(what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise DeployError(f"{what}: the template says {wanted!r}, the engine says {found!r}")


def _table(engine: Engine, name: str, properties: dict[str, Any]) -> None:
    dynamodb = engine.client("dynamodb")
    ttl = properties.get("TimeToLiveSpecification")
    if ttl and ttl.get("Enabled"):
        found = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if found["TimeToLiveStatus"] != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl["AttributeName"]},
            )
            found = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        _expect(
            f"time to live of {name}",
            ("ENABLED", ttl["AttributeName"]),
            (found["TimeToLiveStatus"], found.get("AttributeName")),
        )
    recovery = properties.get("PointInTimeRecoverySpecification") or {}
    if recovery.get("PointInTimeRecoveryEnabled"):
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        described = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        status = described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        _expect(f"point-in-time recovery of {name}", "ENABLED", status)
    if properties.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
    table = dynamodb.describe_table(TableName=name)["Table"]
    _expect(
        f"deletion protection of {name}",
        bool(properties.get("DeletionProtectionEnabled")),
        bool(table.get("DeletionProtectionEnabled")),
    )
    stream = (properties.get("StreamSpecification") or {}).get("StreamViewType")
    _expect(f"stream of {name}", stream, (table.get("StreamSpecification") or {}).get("StreamViewType"))
    wanted = sorted(index["IndexName"] for index in properties.get("GlobalSecondaryIndexes", []))
    _expect(
        f"indexes of {name}",
        wanted,
        sorted(index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])),
    )
    _expect(f"keys of {name}", properties["KeySchema"], table["KeySchema"])


def _global_table(engine: Engine, name: str, properties: dict[str, Any]) -> None:
    replica: dict[str, Any] = next(
        (one for one in properties.get("Replicas", []) if one.get("Region") in (None, REGION)), {}
    )
    flat = {
        **properties,
        "PointInTimeRecoverySpecification": replica.get("PointInTimeRecoverySpecification"),
        "DeletionProtectionEnabled": replica.get("DeletionProtectionEnabled"),
    }
    _table(engine, name, flat)


def _cors_rules(properties: dict[str, Any]) -> list[dict[str, Any]]:
    names = {
        "AllowedHeaders": "AllowedHeaders",
        "AllowedMethods": "AllowedMethods",
        "AllowedOrigins": "AllowedOrigins",
        "ExposedHeaders": "ExposeHeaders",
        "Id": "ID",
        "MaxAge": "MaxAgeSeconds",
    }
    return [
        {names[name]: value for name, value in rule.items()}
        for rule in (properties.get("CorsConfiguration") or {}).get("CorsRules", [])
    ]


def _bucket(engine: Engine, name: str, properties: dict[str, Any]) -> None:
    s3 = engine.client("s3")
    versioning = (properties.get("VersioningConfiguration") or {}).get("Status")
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
        _expect(f"versioning of {name}", versioning, s3.get_bucket_versioning(Bucket=name).get("Status"))
    lock = properties.get("ObjectLockConfiguration")
    if lock or properties.get("ObjectLockEnabled"):
        wanted = lock or {"ObjectLockEnabled": "Enabled"}
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=wanted)
        found = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        _expect(f"object lock of {name}", wanted, found)
    rules = _cors_rules(properties)
    if rules:
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
        found = s3.get_bucket_cors(Bucket=name)["CORSRules"]
        _expect(
            f"CORS of {name}",
            [(rule["AllowedOrigins"], rule["AllowedMethods"]) for rule in rules],
            [(rule["AllowedOrigins"], rule["AllowedMethods"]) for rule in found],
        )
    block = properties.get("PublicAccessBlockConfiguration")
    if block:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        found = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        _expect(f"public access block of {name}", block, {key: found.get(key) for key in block})
    notifications = properties.get("NotificationConfiguration") or {}
    if "EventBridgeConfiguration" in notifications:
        found = s3.get_bucket_notification_configuration(Bucket=name)
        if "EventBridgeConfiguration" not in found:
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
            found = s3.get_bucket_notification_configuration(Bucket=name)
        _expect(f"events of {name}", True, "EventBridgeConfiguration" in found)


def _queue(engine: Engine, url: str, properties: dict[str, Any]) -> None:
    found = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    for name in ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds"):
        if properties.get(name) is not None:
            _expect(f"{name} of {url}", str(properties[name]), found.get(name))
    redrive = properties.get("RedrivePolicy")
    if redrive:
        stored = json.loads(found.get("RedrivePolicy", "{}"))
        _expect(f"redrive policy of {url}", str(redrive["maxReceiveCount"]), str(stored.get("maxReceiveCount")))
        if not stored.get("deadLetterTargetArn"):
            raise DeployError(f"{url} has no dead-letter queue")


def _function(engine: Engine, name: str, properties: dict[str, Any], digests: Mapping[str, str]) -> None:
    code = properties["Code"]
    found = engine.client("lambda").get_function(FunctionName=name)
    configuration = found["Configuration"]
    if "S3Key" in code:
        wanted = digests.get(f"{code['S3Bucket']}/{code['S3Key']}")
        if wanted is None:
            raise DeployError(f"{name}: its code {code['S3Key']} is no asset of the assembly")
        _expect(f"code of {name}", wanted, configuration["CodeSha256"])
    if configuration["CodeSize"] <= 0:
        raise DeployError(f"{name} has no code")
    _expect(f"layers of {name}", len(properties.get("Layers", [])), len(configuration.get("Layers", [])))
    for key in ("Handler", "Timeout", "MemorySize"):
        if properties.get(key) is not None:
            _expect(f"{key} of {name}", properties[key], configuration[key])


def _mapping(engine: Engine, uuid: str, properties: dict[str, Any]) -> None:
    found = engine.client("lambda").get_event_source_mapping(UUID=uuid)
    for key in ("BatchSize", "FunctionResponseTypes"):
        if properties.get(key) is not None:
            _expect(f"{key} of mapping {uuid}", properties[key], found.get(key))
    _expect(f"state of mapping {uuid}", True, found["State"] in ("Enabled", "Creating", "Enabling"))


def _user_pool(engine: Engine, pool_id: str, properties: dict[str, Any]) -> None:
    found = engine.client("cognito-idp").describe_user_pool(UserPoolId=pool_id)["UserPool"]
    wanted = (properties.get("LambdaConfig") or {}).get("PreTokenGenerationConfig")
    if wanted:
        stored = found.get("LambdaConfig", {}).get("PreTokenGenerationConfig", {})
        _expect(f"trigger version of {pool_id}", wanted["LambdaVersion"], stored.get("LambdaVersion"))


def _key(engine: Engine, key_id: str, properties: dict[str, Any]) -> None:
    found = engine.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    _expect(f"kind of key {key_id}", properties.get("KeySpec", "SYMMETRIC_DEFAULT"), found["KeySpec"])
    _expect(f"use of key {key_id}", properties.get("KeyUsage", "ENCRYPT_DECRYPT"), found["KeyUsage"])


def _layer(engine: Engine, arn: str, properties: dict[str, Any], digests: Mapping[str, str]) -> None:
    content = properties["Content"]
    wanted = digests.get(f"{content['S3Bucket']}/{content['S3Key']}")
    if wanted is None:
        raise DeployError(f"layer {arn}: {content['S3Key']} is no asset of the assembly")
    found = engine.client("lambda").get_layer_version_by_arn(Arn=arn)
    if found["Content"].get("CodeSha256") != wanted:
        raise DeployError(f"layer {arn} is not the uploaded asset")


def mend(
    engine: Engine,
    stack_name: str,
    template: Mapping[str, Any],
    digests: Mapping[str, str],
    parameters: Mapping[str, str],
) -> None:
    """What the engine leaves out is set, and every checked property reads back as the template says.

    Raises: DeployError naming the property that differs.
    """
    cloudformation = engine.client("cloudformation")
    physical: dict[str, str] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name):
        for resource in page["StackResourceSummaries"]:
            physical[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    resolver = Resolver(physical, parameters)
    checks: dict[str, Callable[[str, dict[str, Any]], None]] = {
        "AWS::DynamoDB::Table": lambda name, properties: _table(engine, name, properties),
        "AWS::DynamoDB::GlobalTable": lambda name, properties: _global_table(engine, name, properties),
        "AWS::S3::Bucket": lambda name, properties: _bucket(engine, name, properties),
        "AWS::SQS::Queue": lambda url, properties: _queue(engine, url, properties),
        "AWS::Lambda::Function": lambda name, properties: _function(engine, name, properties, digests),
        "AWS::Lambda::LayerVersion": lambda arn, properties: _layer(engine, arn, properties, digests),
        "AWS::Lambda::EventSourceMapping": lambda uuid, properties: _mapping(engine, uuid, properties),
        "AWS::Cognito::UserPool": lambda pool, properties: _user_pool(engine, pool, properties),
        "AWS::KMS::Key": lambda key, properties: _key(engine, key, properties),
    }

    def check(entry: tuple[str, Mapping[str, Any]]) -> None:
        logical_id, resource = entry
        verify = checks.get(resource["Type"])
        if resource.get("Condition") is not None and logical_id not in physical:
            return
        identifier = resolver.id_of(logical_id)
        if verify is not None:
            verify(identifier, _with_places(resolver.literal(resource.get("Properties", {})), resource))

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(check, template["Resources"].items()))


def _with_places(literal: dict[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    """Code places as the synthesiser writes them: `Fn::Sub` with account and region only."""
    for name in ("Code", "Content"):
        place = resource.get("Properties", {}).get(name)
        if isinstance(place, dict) and isinstance(place.get("S3Bucket"), dict):
            literal[name]["S3Bucket"] = _here(place["S3Bucket"].get("Fn::Sub", ""))
    return literal


def write_gateways(engine: Engine, secret_arn: str, gateways: Mapping[str, Mapping[str, str]]) -> None:
    """The gateways' secret holds exactly these gateways; written only when that changes it."""
    secrets = engine.client("secretsmanager")
    wanted = json.dumps(gateways)
    try:
        if secrets.get_secret_value(SecretId=secret_arn).get("SecretString") == wanted:
            return
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    secrets.put_secret_value(SecretId=secret_arn, SecretString=wanted)
