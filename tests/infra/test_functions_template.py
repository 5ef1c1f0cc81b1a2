"""Functions and their rights: one role each, nothing granted that the table does not name."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from infra.routes import (
    ENTRY_POINTS,
    SCOPE_PREFIX,
    BucketGrant,
    EntryPoint,
    KeyGrant,
    MessageGrant,
    TableGrant,
    entry_point,
)

NAMES = [entry.name for entry in ENTRY_POINTS]


def _function(main: Any, name: str) -> dict[str, Any]:
    functions: dict[str, dict[str, Any]] = main.of("AWS::Lambda::Function")
    handler = entry_point(name).handler
    return next(function for function in functions.values() if function["Handler"] == handler)


def _statements(main: Any, name: str) -> list[dict[str, Any]]:
    role = main.of("AWS::IAM::Role")[_function(main, name)["Role"]["Fn::GetAtt"][0]]
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_function_every_has_a_role_of_its_own(main: Any) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in main.of("AWS::Lambda::Function").values()]
    assert len(roles) == len(set(roles)) == len(ENTRY_POINTS)


def test_role_every_is_assumed_by_lambda_alone(main: Any) -> None:
    for role in main.of("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_role_every_holds_inline_statements_only(main: Any) -> None:
    assert not [one for one in main.body["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    for role in main.of("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("name", NAMES)
def test_role_names_no_wildcard_action(main: Any, name: str) -> None:
    for statement in _statements(main, name):
        assert "NotAction" not in statement
        assert not [action for action in _listed(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("name", NAMES)
def test_role_names_the_star_for_traces_only(main: Any, name: str) -> None:
    for statement in _statements(main, name):
        if "NotResource" in statement:  # a telephone has no name: all but topics
            assert (statement["Action"], statement["NotResource"]) == ("sns:Publish", "arn:aws:sns:*:*:*")
            assert MessageGrant() in entry_point(name).grants
        elif "*" in _listed(statement["Resource"]):
            assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


@pytest.mark.parametrize("name", NAMES)
def test_role_reaches_objects_by_granted_prefix_only(main: Any, name: str) -> None:
    prefixes = {f"/{grant.prefix}" for grant in entry_point(name).grants if isinstance(grant, BucketGrant)}
    for statement in _statements(main, name):
        if any(action.startswith("s3:") for action in _listed(statement["Action"])):
            for resource in _listed(statement["Resource"]):
                assert resource["Fn::Join"][1][1] in prefixes


@pytest.mark.parametrize("name", NAMES)
def test_role_may_do_what_the_table_says_and_no_more(main: Any, name: str) -> None:
    entry = entry_point(name)
    wanted = (
        {action for grant in entry.grants for action in _actions(grant)}
        | {
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        }
        | _of_trigger(entry)
    )
    found = {action for one in _statements(main, name) for action in _listed(one["Action"])}
    assert found == wanted


def _actions(grant: Any) -> set[str]:
    services = {
        "TableGrant": "dynamodb",
        "BucketGrant": "s3",
        "KeyGrant": "kms",
        "PoolGrant": "cognito-idp",
        "QueueGrant": "sqs",
    }
    kind = type(grant).__name__
    if kind in services:
        return {f"{services[kind]}:{action}" for action in grant.actions}
    return {{"MessageGrant": "sns:Publish", "SecretGrant": "secretsmanager:GetSecretValue"}[kind]}


def _of_trigger(entry: EntryPoint) -> set[str]:
    return {
        "QueueTrigger": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
        "StreamTrigger": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
            "sqs:SendMessage",
        },
        "ScheduleTrigger": {"sqs:SendMessage"},
        "ObjectTrigger": {"sqs:SendMessage"},
    }.get(type(entry.trigger).__name__, set())


def test_no_function_scans_a_table() -> None:
    for entry in ENTRY_POINTS:
        for grant in entry.grants:
            assert not (isinstance(grant, TableGrant) and "Scan" in grant.actions)


def test_each_key_signs_for_its_own_functions_alone() -> None:
    signers = {
        (entry.name, grant.keys)
        for entry in ENTRY_POINTS
        for grant in entry.grants
        if isinstance(grant, KeyGrant) and "Sign" in grant.actions
    }
    assert signers == {
        ("certify-issue", "signing"),
        ("certify-publish", "root"),
        ("certify-log-sequence", "log"),
        ("certify-log-sweep", "log"),
        ("certify-publish", "signing"),
        ("certify-status", "signing"),
        ("certify-event-files", "signing"),
    }


def test_root_key_and_signing_keys_are_granted_apart(main: Any) -> None:
    for name in NAMES:
        for statement in _statements(main, name):
            if "kms:Sign" in _listed(statement["Action"]):
                keys = [resource["Fn::GetAtt"][0] for resource in _listed(statement["Resource"])]
                of_root = ["KeysRoot" in key for key in keys]
                assert all(of_root) or not any(of_root), name


@pytest.mark.parametrize("name", ["certify-issue", "certify-publish", "certify-status"])
def test_whoever_asks_which_key_signs_may_enrol_the_pool(main: Any, name: str) -> None:
    actions = {action for one in _statements(main, name) for action in _listed(one["Action"])}
    assert {f"dynamodb:{action}" for action in ("GetItem", "PutItem", "Query", "UpdateItem")} <= actions
    assert "kms:GetPublicKey" in actions


def test_no_function_makes_keys() -> None:
    for entry in ENTRY_POINTS:
        for grant in entry.grants:
            if isinstance(grant, KeyGrant):
                assert set(grant.actions) <= {"GetPublicKey", "Sign"}


@pytest.mark.parametrize(
    "name", ["certify-log", "certify-log-sequence", "certify-log-sweep", "certify-log-witnesses"]
)
def test_function_of_the_log_reaches_the_rows_and_files_of_the_log_alone(main: Any, name: str) -> None:
    for statement in _statements(main, name):
        if any(action.startswith("dynamodb:") for action in _listed(statement["Action"])):
            assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["LOG#*"]}}
        if any(action.startswith("s3:") for action in _listed(statement["Action"])):
            assert "StorageLog" in json.dumps(statement["Resource"])
    reader = json.dumps(_statements(main, "certify-log"))
    assert "staging" not in reader
    assert "PutObject" not in reader


def test_token_trigger_reads_accounts_only(main: Any) -> None:
    (statement,) = [
        one for one in _statements(main, "identity-pre-token") if "dynamodb:GetItem" in _listed(one["Action"])
    ]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]}}


@pytest.mark.parametrize("name", NAMES)
def test_function_runs_on_the_runtime_it_is_built_for(main: Any, name: str) -> None:
    function = _function(main, name)
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("name", NAMES)
def test_function_is_traced(main: Any, name: str) -> None:
    assert _function(main, name)["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize("name", NAMES)
def test_function_log_is_kept_a_year(main: Any, name: str) -> None:
    group = _function(main, name)["LoggingConfig"]["LogGroup"]["Ref"]
    assert main.of("AWS::Logs::LogGroup")[group]["RetentionInDays"] == 365


@pytest.mark.parametrize("name", NAMES)
def test_function_is_given_its_own_settings_only(main: Any, name: str) -> None:
    own = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
    assert set(_function(main, name)["Environment"]["Variables"]) == own | set(entry_point(name).environment)


def test_function_environment_holds_no_secret_value(main: Any) -> None:
    for function in main.of("AWS::Lambda::Function").values():
        assert "resolve:secretsmanager" not in json.dumps(function["Environment"])


def test_sweeps_never_run_twice_at_once(main: Any) -> None:
    for name in ("pay-sweep", "certify-sweep", "certify-publish", "pay-chain-sweep"):
        assert _function(main, name)["ReservedConcurrentExecutions"] == 1


def test_queue_consumers_answer_message_by_message(main: Any) -> None:
    for mapping in main.of("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_stream_wakes_for_new_outbox_rows_only_and_gives_up(main: Any) -> None:
    found = [one for one in main.of("AWS::Lambda::EventSourceMapping").values() if "StartingPosition" in one]
    wanted = []
    for mapping in found:
        for of in mapping["FilterCriteria"]["Filters"]:
            pattern = json.loads(of["Pattern"])
            assert pattern["eventName"] == ["INSERT"]
            wanted.append(pattern["dynamodb"]["Keys"])
        assert mapping["MaximumRetryAttempts"] == 5
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
    outbox = {"S": [{"prefix": "OUTBOX#"}]}
    assert len(found) == 2
    assert {"pk": outbox, "sk": {"S": [{"prefix": "CHAIN#"}]}} in wanted
    assert {"pk": outbox, "sk": {"S": [{"prefix": "ev_"}]}} in wanted
    assert {"pk": {"S": [{"prefix": "STATUSMARKS"}]}} in wanted


def test_wake_ups_of_sequencers_are_in_order_and_wait_out_their_second(main: Any) -> None:
    queues = main.of("AWS::SQS::Queue")
    (queue,) = [of for name, of in queues.items() if name.startswith("QueuesSequence") and "RedrivePolicy" in of]
    assert (queue["FifoQueue"], queue["DelaySeconds"]) == (True, 1)
    dead = queues[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    assert dead["FifoQueue"] is True


def test_rule_every_puts_failed_events_aside(main: Any) -> None:
    for rule in main.of("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"]["Arn"]


def test_permission_every_names_its_caller(main: Any, api: Any) -> None:
    for template in (main, api):
        for permission in template.of("AWS::Lambda::Permission").values():
            assert permission["Principal"] != "*"
            assert permission["SourceArn"]


def test_api_may_call_the_functions_that_have_routes_and_no_other(main: Any, api: Any) -> None:
    named = {f"avarez-{entry.name}" for entry in ENTRY_POINTS if entry.routes}
    assert named <= {function["FunctionName"] for function in main.of("AWS::Lambda::Function").values()}
    assert {permission["FunctionName"] for permission in api.of("AWS::Lambda::Permission").values()} == named
    uris = [one["IntegrationUri"]["Fn::Join"][1][-1] for one in api.of("AWS::ApiGatewayV2::Integration").values()]
    assert {uri.rsplit(":", 1)[1] for uri in uris} == named


OWNERS_ROUTES = {
    "POST /v1/owner/sessions",
    "GET /v1/owner/standing",
    "POST /v1/owner/assessments",
    "GET /v1/owner/assessments/{id}",
    "GET /v1/owner/assessments/{id}/differences",
    "GET /v1/owner/mobile-numbers",
    "POST /v1/owner/mobile-numbers",
    "POST /v1/owner/mobile-numbers/removals",
    "POST /v1/owner/payments",
    "GET /v1/owner/payments/{id}",
    "POST /v1/owner/payments/{id}/cancellations",
    "GET /v1/owner/certificates",
    "GET /v1/owner/certificates/{id}",
    "GET /v1/owner/certificates/{id}/pdf",
}
"""Of owners without an account: no account's token opens them, and their functions ask for an owner's."""


def test_route_of_owners_has_a_rate_of_its_own_and_asks_for_their_token(api: Any) -> None:
    (stage,) = api.of("AWS::ApiGatewayV2::Stage").values()
    of_handlers: dict[str, Any] = {}
    for entry in ENTRY_POINTS:
        if entry.routes:
            of_handlers |= importlib.import_module(entry.handler.rsplit(".", 1)[0]).router.routes
    assert {key for key in of_handlers if "/v1/owner/" in key} == OWNERS_ROUTES
    for key in OWNERS_ROUTES:
        assert of_handlers[key].owner == (key != "POST /v1/owner/sessions"), key
        assert stage["RouteSettings"][key]["ThrottlingRateLimit"] <= 800, key


def test_route_every_but_the_public_demands_its_scope(api: Any) -> None:
    public = {
        "GET /.well-known/avarez/keys-root.json",
        "GET /.well-known/avarez/status",
        "GET /.well-known/avarez/status/{shard}",
        "GET /.well-known/avarez/keys.jwt",
        "GET /.well-known/avarez/log/checkpoint",
        "GET /.well-known/avarez/log/key",
        "GET /.well-known/avarez/log/proof/{entry}",
        "GET /.well-known/avarez/log/proof/{entry}/{size}",
        "GET /.well-known/avarez/log/tile/{proxy+}",
        "GET /.well-known/avarez/log/witnesses",
        "GET /.well-known/jwks.json",
        "GET /healthz",
        "GET /v1/callbacks/{gateway}",
        "GET /v1/municipalities",
        "GET /v1/open",
        "GET /v1/open/budgets",
        "GET /v1/open/budgets/{municipality}",
        "GET /v1/open/cells/{municipality}",
        "GET /v1/open/cells/{municipality}/{period}",
        "GET /v1/open/definitions",
        "GET /v1/open/definitions/{figure}",
        "GET /v1/open/effects/{municipality}/{day}/{days}/{against}",
        "GET /v1/open/files/{name}",
        "GET /v1/open/planning/{municipality}",
        "GET /v1/redirects/{gateway}/{token}",
        "GET /v1/tariffs/versions/{version}",
        "GET /v1/verify/{id}",
        "POST /v1/callbacks/{gateway}",
        "POST /v1/officer-activations",
        "POST /v1/reminders/stops",
        "POST /v1/tokens",
        "POST /v1/verify",
        *OWNERS_ROUTES,
    }
    scopes = {f"{route.method} {route.path}": route.scope for entry in ENTRY_POINTS for route in entry.routes}
    for route in api.of("AWS::ApiGatewayV2::Route").values():
        key = route["RouteKey"]
        if key in public:
            assert route["AuthorizationType"] == "NONE"
        else:
            assert route["AuthorizationType"] == "JWT"
            assert route["AuthorizerId"]
            assert route["AuthorizationScopes"] == [f"{SCOPE_PREFIX}/{scopes[key]}"]


def test_authorizer_takes_our_client_only(main: Any, api: Any) -> None:
    (authorizer,) = api.of("AWS::ApiGatewayV2::Authorizer").values()
    (client,) = main.of("AWS::Cognito::UserPoolClient")
    exported = {
        output["Export"]["Name"]: output["Value"] for output in main.body["Outputs"].values() if "Export" in output
    }
    (audience,) = authorizer["JwtConfiguration"]["Audience"]
    assert exported[audience["Fn::ImportValue"]] == {"Ref": client}
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_stage_throttles_and_logs_without_the_path(api: Any) -> None:
    (stage,) = api.of("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 2000
    assert stage["RouteSettings"]["POST /v1/tokens"]["ThrottlingRateLimit"] == 200
    assert stage["RouteSettings"]["POST /v1/verifications"]["ThrottlingRateLimit"] == 10
    assert "$context.path" not in stage["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in stage["AccessLogSettings"]["Format"]


def test_api_has_no_cors(api: Any) -> None:
    (http,) = api.of("AWS::ApiGatewayV2::Api").values()
    assert "CorsConfiguration" not in http
