"""What is kept: that it survives, that it can be restored, that nobody else reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.resources.alarms import (
    ACCOUNT_METRICS,
    AGES,
    BUSINESS_METRICS,
    CHAIN_METRICS,
    DELIVERY_METRICS,
    EXCHANGE_METRICS,
    FIGURE_METRICS,
    FILE_METRICS,
    KEY_METRICS,
    RECEIVABLE_METRICS,
    REMINDER_METRICS,
    SETTLEMENT_METRICS,
)
from infra.resources.storage import SIGNING_KEYS


def _named(resources: dict[str, dict[str, Any]], part: str) -> dict[str, Any]:
    return next(properties for name, properties in resources.items() if part in name)


def test_table_every_is_restorable_to_any_second(main: Any) -> None:
    for table in main.of("AWS::DynamoDB::Table").values():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_table_every_is_protected_from_deletion(main: Any) -> None:
    for name, table in main.of("AWS::DynamoDB::Table").items():
        assert table["DeletionProtectionEnabled"] is True
        assert main.resource(name)["DeletionPolicy"] == "Retain"


def test_table_every_is_on_demand(main: Any) -> None:
    for table in main.of("AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_table_every_forgets_by_one_attribute_only(main: Any) -> None:
    for table in main.of("AWS::DynamoDB::Table").values():
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at_epoch", "Enabled": True}


def test_duty_indexes_hold_keys_and_vehicle_only(main: Any) -> None:
    indexes = _named(main.of("AWS::DynamoDB::Table"), "Duty")["GlobalSecondaryIndexes"]
    assert {index["IndexName"]: index["KeySchema"][0]["AttributeName"] for index in indexes} == {
        "by_plate": "plate",
        "by_vin": "vin",
        "by_chassis": "chassis",
        "by_engine": "engine",
    }
    for index in indexes:
        assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["vehicle_id"]}


def test_ledger_streams_new_images(main: Any) -> None:
    ledger = _named(main.of("AWS::DynamoDB::Table"), "Ledger")
    assert ledger["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_bucket_every_refuses_the_public(main: Any, delivery: Any) -> None:
    for template in (main, delivery):
        for bucket in template.of("AWS::S3::Bucket").values():
            assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_bucket_every_is_encrypted(main: Any, delivery: Any) -> None:
    for template in (main, delivery):
        for bucket in template.of("AWS::S3::Bucket").values():
            assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


def test_bucket_every_denies_plain_http_and_old_tls(main: Any, delivery: Any) -> None:
    for template in (main, delivery):
        policies = template.of("AWS::S3::BucketPolicy").values()
        guarded = {policy["Bucket"]["Ref"]: policy["PolicyDocument"]["Statement"] for policy in policies}
        assert set(guarded) == set(template.of("AWS::S3::Bucket"))
        for statements in guarded.values():
            denials = [one["Condition"] for one in statements if one["Effect"] == "Deny"]
            assert {"Bool": {"aws:SecureTransport": "false"}} in denials
            assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denials


def test_bucket_every_logs_its_accesses(main: Any) -> None:
    for name, bucket in main.of("AWS::S3::Bucket").items():
        assert "AccessLogs" in name or bucket["LoggingConfiguration"]["DestinationBucketName"]


def test_documents_are_versioned_and_locked(main: Any) -> None:
    documents = _named(main.of("AWS::S3::Bucket"), "Documents")
    assert documents["VersioningConfiguration"] == {"Status": "Enabled"}
    assert documents["ObjectLockEnabled"] is True
    assert documents["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Days": 3653, "Mode": "GOVERNANCE"}


@pytest.mark.parametrize(("part", "methods"), [("Documents", ["GET"]), ("Rolls", ["PUT", "POST"])])
def test_bucket_cors_names_our_origin_only(main: Any, part: str, methods: list[str]) -> None:
    rules = _named(main.of("AWS::S3::Bucket"), part)["CorsConfiguration"]["CorsRules"]
    assert [(rule["AllowedOrigins"], rule["AllowedMethods"]) for rule in rules] == [
        ([{"Ref": "PublicOrigin"}], methods)
    ]


def test_rolls_tell_eventbridge_and_expire(main: Any) -> None:
    rolls = _named(main.of("AWS::S3::Bucket"), "Rolls")
    assert rolls["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    rule = rolls["LifecycleConfiguration"]["Rules"][0]
    assert rule["ExpirationInDays"] == 90
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_signing_keys_and_root_sign_with_p256_and_stay(main: Any) -> None:
    keys = {
        name: key
        for name, key in main.of("AWS::KMS::Key").items()
        if any(part in name for part in ("SigningKey", "KeysRoot"))
    }
    assert len(keys) == len(SIGNING_KEYS) + 1
    for name, key in keys.items():
        assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
        assert main.resource(name)["DeletionPolicy"] == "Retain"


def test_log_key_signs_with_ed25519_and_stays(main: Any) -> None:
    name, key = next((name, key) for name, key in main.of("AWS::KMS::Key").items() if "LogKey" in name)
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    assert main.resource(name)["DeletionPolicy"] == "Retain"


def test_log_is_written_by_one_at_a_time_and_its_files_are_versioned(main: Any) -> None:
    queues = main.of("AWS::SQS::Queue")
    queue = next(one for name, one in queues.items() if "QueuesLog" in name and "Dead" not in name)
    assert (queue["FifoQueue"], queue["DelaySeconds"]) == (True, 3)
    bucket = next(one for name, one in main.of("AWS::S3::Bucket").items() if "StorageLog" in name)
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_log_that_is_behind_rings_an_alarm(watch: Any) -> None:
    (alarm,) = [
        one for one in watch.of("AWS::CloudWatch::Alarm").values() if one.get("MetricName") == "log_behind"
    ]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "certify-log-sweep"}]
    assert alarm["Threshold"] == 0


def test_owner_secret_is_made_by_the_cloud(main: Any) -> None:
    owner = _named(main.of("AWS::SecretsManager::Secret"), "OwnerMaster")
    assert owner["GenerateSecretString"]["PasswordLength"] == 64
    assert "SecretString" not in owner


def test_gateway_secret_holds_nothing_in_the_template(main: Any) -> None:
    assert _named(main.of("AWS::SecretsManager::Secret"), "Gateways")["SecretString"] == "{}"


def test_queue_every_is_encrypted(main: Any) -> None:
    for queue in main.of("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True


def test_queue_every_denies_plain_http(main: Any) -> None:
    guarded = set()
    for policy in main.of("AWS::SQS::QueuePolicy").values():
        statements = policy["PolicyDocument"]["Statement"]
        if any(one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}} for one in statements):
            guarded |= {queue["Ref"] for queue in policy["Queues"]}
    assert guarded == set(main.of("AWS::SQS::Queue"))


def test_queue_of_work_puts_poison_aside_after_five(main: Any) -> None:
    queues = main.of("AWS::SQS::Queue")
    dead = {
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue
    }
    for name, queue in queues.items():
        if name not in dead and "Failed" not in name:
            assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


def test_stacks_stay_well_below_the_limit(main: Any, api: Any, watch: Any, delivery: Any) -> None:
    """Source: CloudFormation quotas: 500 resources and 200 outputs in a stack."""
    for template in (main, api, watch, delivery):
        assert len(template.body["Resources"]) <= 480
        assert len(template.body.get("Outputs", {})) <= 190


def test_queue_of_dead_letters_rings_an_alarm(main: Any, watch: Any) -> None:
    exported = {
        output["Export"]["Name"]: output["Value"]["Fn::GetAtt"][0]
        for output in main.body["Outputs"].values()
        if "Export" in output and "Fn::GetAtt" in output["Value"]
    }
    watched = {
        exported[dimension["Value"]["Fn::ImportValue"]]
        for alarm in watch.of("AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    }
    queues = main.of("AWS::SQS::Queue")
    assert watched == {name for name, queue in queues.items() if "RedrivePolicy" not in queue}


def test_alarm_every_wakes_somebody(watch: Any) -> None:
    for alarm in watch.of("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"]


def test_topic_of_alarms_is_encrypted(watch: Any) -> None:
    for topic in watch.of("AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"]


@pytest.mark.parametrize(
    "metric", ["payment_suspense", "amount_mismatch", "reference_reused", "confirmed_unplaced", "unexplained_rial"]
)
def test_money_in_doubt_rings_an_alarm_whichever_function_sees_it(watch: Any, metric: str) -> None:
    services = {
        one["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for alarm in watch.of("AWS::CloudWatch::Alarm").values()
        for one in alarm.get("Metrics", [])
        if one.get("MetricStat", {}).get("Metric", {}).get("MetricName") == metric
    }
    assert services == {
        "pay-handler",
        "pay-terminals",
        "pay-bank-lines",
        "pay-callback",
        "pay-verify-queue",
        "pay-sweep",
        "pay-invariants",
        "pay-reconcile",
        "pay-reconcile-queue",
    }


def test_operations_page_says_what_to_do_about_every_metric_with_an_alarm() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.M)) == {
        *BUSINESS_METRICS,
        *KEY_METRICS,
        *REMINDER_METRICS,
        *CHAIN_METRICS,
        *DELIVERY_METRICS,
        *SETTLEMENT_METRICS,
        *ACCOUNT_METRICS,
        *FILE_METRICS,
        *EXCHANGE_METRICS,
        *FIGURE_METRICS,
        *RECEIVABLE_METRICS,
        *AGES,
    }


@pytest.mark.parametrize("metric", list(AGES))
def test_age_of_what_waits_longest_rings_an_alarm(watch: Any, metric: str) -> None:
    (alarm,) = [
        alarm
        for alarm in watch.of("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == metric and alarm["Namespace"] == "Avarez"
    ]
    service, most_s, _ = AGES[metric]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", most_s)
