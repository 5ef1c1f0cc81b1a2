"""What stands in front, held against the one table of edge rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avarez import errors
from infra import edge_problems, edge_rules


def _distribution(delivery: Any) -> dict[str, Any]:
    (distribution,) = delivery.of("AWS::CloudFront::Distribution").values()
    config: dict[str, Any] = distribution["DistributionConfig"]
    return config


def _rules(delivery: Any) -> dict[str, dict[str, Any]]:
    (firewall,) = delivery.of("AWS::WAFv2::WebACL").values()
    return {rule["Name"]: rule for rule in firewall["Rules"]}


def _behaviours(delivery: Any) -> dict[str, dict[str, Any]]:
    return {one["PathPattern"]: one for one in _distribution(delivery)["CacheBehaviors"]}


def _origin_kind(delivery: Any, origin_id: str) -> str:
    origin = next(one for one in _distribution(delivery)["Origins"] if one["Id"] == origin_id)
    return "pages" if "S3OriginConfig" in origin else "api"


def test_paths_go_where_the_table_says(delivery: Any) -> None:
    behaviours = _behaviours(delivery)
    for rule in edge_rules.PATHS:
        behaviour = (
            _distribution(delivery)["DefaultCacheBehavior"] if rule.pattern == "*" else behaviours[rule.pattern]
        )
        assert _origin_kind(delivery, behaviour["TargetOriginId"]) == rule.origin


def test_api_answers_are_cached_only_where_the_table_says_so(delivery: Any) -> None:
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    for rule in edge_rules.PATHS:
        if rule.origin == "api" and not rule.cached:
            assert _behaviours(delivery)[rule.pattern]["CachePolicyId"] == caching_disabled
    kept = [rule.pattern for rule in edge_rules.PATHS if rule.cached]
    assert kept == ["/v1/open*", "/.well-known/avarez/log/*", "/.well-known/avarez/status*"]


def test_kept_answers_are_kept_as_long_as_they_say_and_by_their_path_alone(delivery: Any) -> None:
    policies = delivery.of("AWS::CloudFront::CachePolicy")
    for rule in edge_rules.PATHS:
        if rule.cached:
            reference = _behaviours(delivery)[rule.pattern]["CachePolicyId"]["Ref"]
            config = policies[reference]["CachePolicyConfig"]
            assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
            key = config["ParametersInCacheKeyAndForwardedToOrigin"]
            assert key["CookiesConfig"] == {"CookieBehavior": "none"}
            assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
            assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


def test_pages_are_rewritten_by_the_table(delivery: Any) -> None:
    (function,) = delivery.of("AWS::CloudFront::Function").values()
    table = json.dumps([[rule.pattern, f"/{rule.file}"] for rule in edge_rules.PAGES])
    assert f"const pages = {table};" in function["FunctionCode"]


def test_every_answer_carries_the_security_headers(delivery: Any) -> None:
    for policy in delivery.of("AWS::CloudFront::ResponseHeadersPolicy").values():
        config = policy["ResponseHeadersPolicyConfig"]
        security = config["SecurityHeadersConfig"]
        custom = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
        transport = security["StrictTransportSecurity"]
        assert security["ContentTypeOptions"]["Override"] is True
        found = {
            "x-content-type-options": "nosniff",
            "x-frame-options": security["FrameOptions"]["FrameOption"],
            "referrer-policy": security["ReferrerPolicy"]["ReferrerPolicy"],
            "strict-transport-security": f"max-age={transport['AccessControlMaxAgeSec']}"
            + ("; includeSubDomains" if transport["IncludeSubdomains"] else "")
            + ("; preload" if transport["Preload"] else ""),
            **custom,
        }
        assert {name: found[name] for name in edge_rules.SECURITY_HEADERS} == edge_rules.SECURITY_HEADERS


def test_every_page_carries_the_content_policy(delivery: Any) -> None:
    before, after = edge_rules.content_security_policy("|").split("|")
    for policy in delivery.of("AWS::CloudFront::ResponseHeadersPolicy").values():
        config = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
        parts = config["ContentSecurityPolicy"]["Fn::Join"][1]
        assert (parts[0], parts[-1]) == (before, after)


def test_content_policy_of_an_answer_stands_and_that_of_a_page_is_ours(delivery: Any) -> None:
    policies = delivery.of("AWS::CloudFront::ResponseHeadersPolicy")
    for behaviour, replaced in (
        (_distribution(delivery)["DefaultCacheBehavior"], True),
        (_behaviours(delivery)["/v1/*"], False),
    ):
        config = policies[behaviour["ResponseHeadersPolicyId"]["Ref"]]["ResponseHeadersPolicyConfig"]
        assert config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["Override"] is replaced


def test_policy_of_pages_runs_no_foreign_script() -> None:
    policy = edge_rules.content_security_policy("https://storage.example")
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_worker_may_serve_the_verifiers_page(delivery: Any) -> None:
    policy_id = _behaviours(delivery)[edge_rules.SERVICE_WORKER_PATH]["ResponseHeadersPolicyId"]["Ref"]
    config = delivery.of("AWS::CloudFront::ResponseHeadersPolicy")[policy_id]["ResponseHeadersPolicyConfig"]
    custom = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
    assert custom["service-worker-allowed"] == edge_rules.SERVICE_WORKER_SCOPE


def test_pages_are_kept_as_the_table_says(delivery: Any) -> None:
    policies = delivery.of("AWS::CloudFront::ResponseHeadersPolicy")
    for behaviour, cache in (
        (_distribution(delivery)["DefaultCacheBehavior"], edge_rules.PAGE_CACHE),
        (_behaviours(delivery)[edge_rules.FONTS_PATTERN], edge_rules.FONT_CACHE),
    ):
        config = policies[behaviour["ResponseHeadersPolicyId"]["Ref"]]["ResponseHeadersPolicyConfig"]
        custom = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
        assert custom["cache-control"] == cache


def test_large_bodies_are_refused(delivery: Any) -> None:
    rule = _rules(delivery)["BodyTooLarge"]
    size, *elsewhere = rule["Statement"]["AndStatement"]["Statements"]
    constraint = size["SizeConstraintStatement"]
    assert (constraint["ComparisonOperator"], constraint["Size"]) == ("GT", edge_rules.BODY_MAX_BYTES)
    assert constraint["FieldToMatch"]["Body"] == {"OversizeHandling": "MATCH"}
    excepted = [one["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] for one in elsewhere]
    assert excepted == list(edge_rules.BODY_MAX_BYTES_BY_PATH)
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == edge_rules.BODY_REFUSED_STATUS


@pytest.mark.parametrize("rate", edge_rules.RATES, ids=lambda rate: rate.name)
def test_many_requests_of_one_address_are_refused(delivery: Any, rate: edge_rules.RateRule) -> None:
    rule = _rules(delivery)[f"Rate{rate.name}"]
    statement = rule["Statement"]["RateBasedStatement"]
    assert (statement["Limit"], statement["EvaluationWindowSec"]) == (rate.requests_max, edge_rules.RATE_WINDOW_S)
    assert statement["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"] == rate.prefix
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == edge_rules.RATE_REFUSED_STATUS


def test_known_attacks_are_refused(delivery: Any) -> None:
    managed = [name for name, rule in _rules(delivery).items() if rule.get("OverrideAction") == {"None": {}}]
    assert managed == [
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]


def test_firewall_stands_before_the_distribution_and_logs(delivery: Any) -> None:
    (firewall,) = delivery.of("AWS::WAFv2::WebACL")
    assert _distribution(delivery)["WebACLId"] == {"Fn::GetAtt": [firewall, "Arn"]}
    (logging,) = delivery.of("AWS::WAFv2::LoggingConfiguration").values()
    assert logging["RedactedFields"] == [{"SingleHeader": {"Name": "authorization"}}]


def test_viewers_speak_modern_tls_only(delivery: Any) -> None:
    config = _distribution(delivery)
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    for behaviour in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        assert behaviour["ViewerProtocolPolicy"] in ("https-only", "redirect-to-https")


def test_pages_bucket_answers_the_distribution_only(delivery: Any) -> None:
    allowed = [
        statement
        for policy in delivery.of("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "s3:GetObject"
    ]
    (statement,) = allowed
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "AWS:SourceArn" in statement["Condition"]["StringEquals"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "office/index.html"),
        ("/office/", "office/index.html"),
        ("/office/app.js", "office/app.js"),
        ("/city", "city/index.html"),
        ("/city/", "city/index.html"),
        ("/city/views/overview.js", "city/views/overview.js"),
        ("/v", "verify/index.html"),
        ("/v/ce_0123", "verify/index.html"),
        ("/verify/sw.js", "verify/sw.js"),
        ("/common/base.css", "common/base.css"),
        ("/docs", "docs/index.html"),
        ("/openapi.json", "docs/openapi.json"),
        ("/etc/passwd", None),
        ("/office", "office/index.html"),
    ],
)
def test_page_of_path_is_its_file(path: str, expected: str | None) -> None:
    assert edge_rules.goes_to_api(path) is False
    assert edge_rules.page_of(path) == expected


@pytest.mark.parametrize("path", ["/v1/verify", "/.well-known/jwks.json", "/healthz"])
def test_path_of_the_api_goes_there(path: str) -> None:
    assert edge_rules.goes_to_api(path) is True


def test_refusals_of_the_api_itself_are_put_into_our_words(delivery: Any) -> None:
    (function,) = delivery.of("AWS::Lambda::Function").values()
    code = function["Code"]["ZipFile"]
    assert code == Path(edge_problems.__file__).read_text("utf-8")
    assert len(code) <= 4_096, "CloudFormation takes no longer code inline"
    for rule in edge_rules.PATHS:
        if rule.origin == "api":
            (association,) = _behaviours(delivery)[rule.pattern]["LambdaFunctionAssociations"]
            assert association["EventType"] == "origin-response"


def _answered(status: int, content_type: str, language: str = "") -> dict[str, Any]:
    asked = {"accept-language": [{"value": language}]} if language else {}
    headers = {"content-type": [{"value": content_type}], "apigw-requestid": [{"value": "abc="}]}
    response = {"status": str(status), "headers": headers}
    event = {"Records": [{"cf": {"request": {"headers": asked}, "response": response}}]}
    answer: dict[str, Any] = edge_problems.handle(event, None)
    return answer


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (403, "forbidden"), (404, "route_unknown"), (500, "internal_error")],
)
@pytest.mark.parametrize("language", ["fa-IR,fa;q=0.9,en;q=0.8", "en", ""])
def test_a_refusal_becomes_a_problem_in_the_language_asked_for(status: int, code: str, language: str) -> None:
    answer = _answered(status, "application/json", language)
    body = json.loads(answer["body"])
    assert (body["status"], body["code"], body["instance"]) == (status, code, "urn:avarez:request:abc=")
    assert any("آ" <= letter <= "ی" for letter in body["title"]) == language.startswith("fa")
    assert answer["headers"]["content-type"][0]["value"] == "application/problem+json"


@pytest.mark.parametrize(
    ("status", "content_type"), [(200, "application/json"), (404, "application/problem+json")]
)
def test_answers_of_ours_pass_unchanged(status: int, content_type: str) -> None:
    assert "body" not in _answered(status, content_type)


def test_the_edge_says_the_same_as_the_functions() -> None:
    ours = {kind.code: kind for kind in errors.AvarezError.__subclasses__()}
    for code, english, persian in edge_problems.PROBLEMS.values():
        if code in ("unauthorized", "forbidden", "route_unknown", "method_not_allowed"):
            assert (ours[code].title_en, ours[code].title_fa) == (english, persian)
