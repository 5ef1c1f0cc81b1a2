"""The functions of the assess folder on one table, driven by events as AWS sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import dynamo
from avarez.assessment.tariff import load_tariff
from avarez.clock import FixedClock, to_rfc3339
from avarez.dynamo import Table
from avarez.quotes.store import TariffStore
from functions.assess import handler as assess
from functions.assess import wiring
from functions.assess.changes import handler as changes
from functions.assess.fleets import assess as fleet_assess
from functions.assess.fleets import handler as fleets
from functions.assess.fleets import wiring as fleet_wiring
from functions.assess.objections import handler as objections
from functions.assess.objections import sweep
from functions.assess.roll import check, stage
from functions.assess.roll import handler as rolls
from functions.assess.tariffs import handler as tariffs
from functions.assess.tariffs import simulate
from functions.assess.tariffs import wiring as tariff_wiring

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
INDEXES = {"by_plate": "plate", "by_vin": "vin", "by_chassis": "chassis", "by_engine": "engine"}
SCOPES = (
    "vehicles.read vehicles.write vehicles.decide assessments.read assessments.write rolls.read rolls.write "
    "tariffs.read tariffs.write objections.read objections.write objections.decide"
)
CHANGE_ROUTES = ("/corrections", "/plates", "/residences", "/prior-payments", "vehicle-changes")
Answer = tuple[int, dict[str, Any]]


class System:
    """The functions of the assess folder on one table, wired as the template wires them."""

    def __init__(self) -> None:
        self.queue_url = ""
        self.simulate_url = ""
        self.fleet_url = ""
        self.clock = FixedClock(NOW)

    def call(self, method: str, route: str, body: Any = None, *, by: str = "operator", **given: Any) -> Answer:
        claims = {
            "token_use": "access", "iss": "issuer", "client_id": "client",
            "username": by if "-" in by else f"{by}-1",
            "cognito:groups": [by.split("-")[0]], "serves": "*", "municipality": given.pop("city", "MASHHAD"),
        }  # fmt: skip
        scopes = [f"avarez/{scope}" for scope in SCOPES.split()]
        event = {
            "version": "2.0",
            "routeKey": f"{method} {route}",
            "rawPath": route,
            "headers": {"content-type": "application/json", **given.pop("headers", {})},
            "pathParameters": given.pop("params", {}),
            "queryStringParameters": given,
            "requestContext": {
                "requestId": "r-1",
                "http": {"method": method, "sourceIp": "127.0.0.1"},
                "authorizer": {"jwt": {"claims": claims, "scopes": scopes}},
            },
            "body": None if body is None else json.dumps(body, ensure_ascii=False),
            "isBase64Encoded": False,
        }
        of_rolls = "/receivables" in route
        of_changes = any(part in route for part in CHANGE_ROUTES)
        prefixes = {"/v1/rolls": rolls, "/v1/tariffs": tariffs, "/v1/objections": objections, "/v1/fleets": fleets}
        target = next(
            (prefixes[start] for start in prefixes if route.startswith(start)),
            rolls if of_rolls else changes if of_changes else assess,
        )
        answer = target.handle(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def upload(self, city: str, lines: list[str], *, times: int = 1) -> dict[str, Any]:
        status, roll = self.call("POST", "/v1/rolls", {"municipality": city})
        assert status == 201, roll
        key = f"uploads/{city}/{roll['roll_id']}.csv"
        data = "\n".join(lines).encode()
        etag = dynamo.client("s3").put_object(Bucket="rolls", Key=key, Body=data)["ETag"]
        detail = {"bucket": {"name": "rolls"}, "object": {"key": key, "size": len(data), "etag": etag}}
        for _ in range(times):
            check.handle({"source": "aws.s3", "detail-type": "Object Created", "detail": detail}, None)
        self.stage(times)
        return self.roll(roll["roll_id"])

    def stage(self, times: int) -> None:
        sqs = dynamo.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in messages]
            for _ in range(times):
                assert stage.handle({"Records": records}, None) == {"batchItemFailures": []}
            for message in messages:
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def roll(self, roll_id: str) -> dict[str, Any]:
        return self.call("GET", "/v1/rolls/{id}", params={"id": roll_id})[1]

    def assess_fleets(self, *, times: int = 1, failing: int = 0) -> int:
        """Delivers the chunks of fleets, each `times` over; the first `failing` messages are lost instead."""
        sqs = dynamo.client("sqs")
        delivered = 0
        while messages := sqs.receive_message(QueueUrl=self.fleet_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.fleet_url, ReceiptHandle=message["ReceiptHandle"])
                delivered += 1
                if delivered > failing:
                    record = {"messageId": message["MessageId"], "body": message["Body"]}
                    for _ in range(times):
                        assert fleet_assess.handle({"Records": [record]}, None) == {"batchItemFailures": []}
        return delivered

    def simulate(self) -> list[str]:
        """Carries out the simulations that were asked."""
        sqs = dynamo.client("sqs")
        bodies = []
        while messages := sqs.receive_message(QueueUrl=self.simulate_url, MaxNumberOfMessages=10).get("Messages"):
            records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in messages]
            assert simulate.handle({"Records": records}, None) == {"batchItemFailures": []}
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=self.simulate_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def act(self, roll: dict[str, Any], action: str) -> Answer:
        return self.call("POST", f"/v1/rolls/{{id}}/{action}", {}, params={"id": roll["roll_id"]})

    def quote(self, city: str, plate: str, **more: Any) -> Answer:
        headers = more.pop("headers", {})
        body = {"municipality": city, "plate": plate, **more}
        return self.call("POST", "/v1/assessments", body, by="office", headers=headers)


def running_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The system on moto's tables, buckets and queues."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1",
        "DUTY_TABLE": "duty", "LEDGER_TABLE": "ledger",
        "ROLLS_BUCKET": "rolls", "TARIFF_BUCKET": "tariffs", "TOKEN_ISSUER": "issuer",
        "USER_POOL_CLIENT_ID": "client",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for cached in (dynamo.client, wiring.owner_seals, assess.quotes, tariff_wiring.drafts, fleet_wiring.quotes):
        cached.cache_clear()
    with mock_aws():
        running = System()
        attributes = ["pk", "sk", *INDEXES.values()]
        boto3.client("dynamodb").create_table(
            TableName="duty",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["vehicle_id"]},
                }
                for index, attribute in INDEXES.items()
            ],
        )
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        place = {"LocationConstraint": "eu-central-1"}
        for bucket in ("rolls", "tariffs"):
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)  # type: ignore[arg-type]
        running.fleet_url = boto3.client("sqs").create_queue(QueueName="fleet")["QueueUrl"]
        monkeypatch.setenv("FLEET_ASSESS_QUEUE_URL", running.fleet_url)
        running.simulate_url = boto3.client("sqs").create_queue(QueueName="simulate")["QueueUrl"]
        monkeypatch.setenv("TARIFF_SIMULATE_QUEUE_URL", running.simulate_url)
        running.queue_url = boto3.client("sqs").create_queue(QueueName="stage")["QueueUrl"]
        secret = boto3.client("secretsmanager").create_secret(Name="owner", SecretString="s" * 64)
        monkeypatch.setenv("ROLL_STAGE_QUEUE_URL", running.queue_url)
        monkeypatch.setenv("OWNER_SECRET_ARN", secret["ARN"])
        for module in (
            assess,
            changes,
            rolls,
            check,
            stage,
            tariffs,
            simulate,
            objections,
            sweep,
            fleets,
            fleet_assess,
        ):
            monkeypatch.setattr(module, "clock", running.clock)
        TariffStore(Table("duty"), "tariffs").install(load_tariff(ROOT / "demo" / "tariffs"), to_rfc3339(NOW))
        yield running
    for cached in (dynamo.client, wiring.owner_seals, assess.quotes, tariff_wiring.drafts, fleet_wiring.quotes):
        cached.cache_clear()
