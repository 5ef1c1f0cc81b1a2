"""What stands in front: CloudFront with its WAF, and the bucket of the pages.

A stack of its own because CloudFront takes its web ACL and its certificate from us-east-1 alone, while
the main stack may stand in any region. Everything it does is in infra/edge_rules.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aws_cdk import (
    ArnFormat,
    CfnOutput,
    CfnParameter,
    DefaultStackSynthesizer,
    Duration,
    Environment,
    Fn,
    RemovalPolicy,
    Stack,
    Tags,
)
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra import edge_problems, edge_rules
from infra.resources.acknowledgments import acknowledge

STACK_NAME = "avarez-delivery"

REGION = "us-east-1"
"""Source: AWS WAF developer guide: a web ACL of scope CLOUDFRONT is made in us-east-1."""

MANAGED_RULES = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
)

ACCESS_LOG_DAYS = 400

HSTS_MAX_AGE_S = 63_072_000


class DeliveryStack(Stack):
    """The one origin that everybody sees: pages and API."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """The distribution before the API whose host is a parameter."""
        super().__init__(
            scope,
            construct_id,
            stack_name=STACK_NAME,
            env=Environment(region=REGION),
            description="Avarez: CloudFront and WAF in front of API and pages (us-east-1)",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=True,
        )
        Tags.of(self).add("project", "avarez")
        Tags.of(self).add("owner", "duty-platform")
        domain = CfnParameter(self, "DomainName", description="The host of PublicOrigin")
        certificate = CfnParameter(self, "CertificateArn", description="Its certificate, in us-east-1")
        api_host = CfnParameter(self, "ApiHost", description="The host of the API stack's ApiEndpoint")
        storage_origins = CfnParameter(
            self,
            "StorageOrigins",
            type="CommaDelimitedList",
            description="Origins of the presigned addresses of documents and rolls, with https://",
        )
        logs_bucket = self._logs_bucket()
        pages = self._pages_bucket(logs_bucket)
        policy = edge_rules.content_security_policy(Fn.join(" ", storage_origins.value_as_list))
        of_page = self._page_behaviours(pages, policy)
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Avarez: pages and API on one origin",
            domain_names=[domain.value_as_string],
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", certificate.value_as_string),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=self._firewall().attr_arn,
            log_bucket=logs_bucket,
            log_file_prefix="cloudfront/",
            default_behavior=of_page("Pages", cache_control=edge_rules.PAGE_CACHE),
            additional_behaviors={
                **self._api_behaviours(api_host.value_as_string, policy),
                edge_rules.FONTS_PATTERN: of_page("Fonts", cache_control=edge_rules.FONT_CACHE),
                edge_rules.SERVICE_WORKER_PATH: of_page(
                    "ServiceWorker",
                    cache_control=edge_rules.PAGE_CACHE,
                    service_worker_allowed=edge_rules.SERVICE_WORKER_SCOPE,
                ),
            },
        )
        acknowledge(
            distribution,
            "Owners abroad pay the duty of their cars at home: no country is shut out.",
            "AwsSolutions-CFR1",
        )
        CfnOutput(self, "DistributionDomainName", value=distribution.distribution_domain_name)
        CfnOutput(self, "DistributionId", value=distribution.distribution_id)
        CfnOutput(self, "PagesBucketName", value=pages.bucket_name)

    def _api_behaviours(self, host: str, policy: str) -> dict[str, cloudfront.BehaviorOptions]:
        """Every path that the API answers, and how."""
        origin = origins.HttpOrigin(
            host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            read_timeout=Duration.seconds(30),
        )
        headers = self._headers("Answers", policy, replace_policy=False)
        problems = cloudfront.EdgeLambda(
            event_type=cloudfront.LambdaEdgeEventType.ORIGIN_RESPONSE,
            function_version=self._problems().current_version,
        )
        # The key is the path alone: what the log answers does not depend on who asks.
        kept_policy = cloudfront.CachePolicy(
            self,
            "KeptAnswers",
            comment="For as long as the answer itself says, and not at all where it says nothing",
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=Duration.days(365),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )
        return {
            rule.pattern: cloudfront.BehaviorOptions(
                origin=origin,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=kept_policy if rule.cached else cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                response_headers_policy=headers,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                edge_lambdas=[problems],
            )
            for rule in edge_rules.PATHS
            if rule.origin == "api"
        }

    def _page_behaviours(self, pages: s3.Bucket, policy: str) -> Callable[..., cloudfront.BehaviorOptions]:
        """What makes the behaviour of a kind of files of the pages, with the headers of its name."""
        origin = origins.S3BucketOrigin.with_origin_access_control(pages)
        rewriting = cloudfront.FunctionAssociation(
            function=self._rewriting(), event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
        )

        def behaviour(name: str, **more: str) -> cloudfront.BehaviorOptions:
            return cloudfront.BehaviorOptions(
                origin=origin,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=self._headers(name, policy, replace_policy=True, **more),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                function_associations=[rewriting],
            )

        return behaviour

    def _logs_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # CloudFront writes its logs with an ACL, which "bucket owner enforced" would refuse.
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(ACCESS_LOG_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "The bucket that receives the access logs: a log of its own writes would never end.",
            "AwsSolutions-S1",
        )
        return bucket

    def _pages_bucket(self, logs_bucket: s3.Bucket) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Pages",
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=logs_bucket,
            server_access_logs_prefix="pages/",
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _headers(
        self, name: str, policy: str, *, replace_policy: bool, **more: str
    ) -> cloudfront.ResponseHeadersPolicy:
        """The table's headers, and `more` of them (underscores read as hyphens).

        With `replace_policy` False the origin's content policy stands where it has one: the page that leads to a
        gateway posts a form, which the pages' policy forbids. The local edge does the same.
        """
        custom = {
            header: edge_rules.SECURITY_HEADERS[header]
            for header in ("permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy")
        } | {header.replace("_", "-"): value for header, value in more.items()}
        return cloudfront.ResponseHeadersPolicy(
            self,
            f"{name}Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, override=replace_policy
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.seconds(HSTS_MAX_AGE_S),
                    include_subdomains=True,
                    preload=True,
                    override=True,
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                    for header, value in custom.items()
                ]
            ),
        )

    def _rewriting(self) -> cloudfront.Function:
        """Turns the path of a page into the name of its file, by the table of pages."""
        table = json.dumps([[rule.pattern, f"/{rule.file}"] for rule in edge_rules.PAGES])
        return cloudfront.Function(
            self,
            "PagesFunction",
            comment="The path of a page becomes its file",
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            code=cloudfront.FunctionCode.from_inline(
                f"const pages = {table};\n"
                "function handler(event) {\n"
                "  const request = event.request;\n"
                "  for (const [pattern, file] of pages) {\n"
                "    const open = pattern.endsWith('*');\n"
                "    if (open ? request.uri.startsWith(pattern.slice(0, -1)) : request.uri === pattern) {\n"
                "      request.uri = file;\n"
                "      break;\n"
                "    }\n"
                "  }\n"
                "  return request;\n"
                "}\n"
            ),
        )

    def _problems(self) -> lambda_.Function:
        """Puts the API's own refusals into our words. It needs no right at all, not even to write a log."""
        role = iam.Role(
            self,
            "ProblemsRole",
            description="What the function of the API's refusals may do: nothing",
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("lambda.amazonaws.com"), iam.ServicePrincipal("edgelambda.amazonaws.com")
            ),
        )
        function = lambda_.Function(
            self,
            "Problems",
            description="infra/edge_problems.py",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.X86_64,  # all that Lambda@Edge knows
            handler="index.handle",
            code=lambda_.Code.from_inline(Path(edge_problems.__file__).read_text("utf-8")),
            role=role.without_policy_updates(),
            timeout=Duration.seconds(3),
            memory_size=128,
        )
        acknowledge(
            function,
            "The runtime is the one that the functions of the main stack run on.",
            "AwsSolutions-L1",
            "Serverless-LambdaLatestVersion",
        )
        acknowledge(
            function,
            "CloudFront waits for its answer, and passes the API's own on when there is none; Lambda@Edge knows "
            "neither dead-letter queues nor tracing.",
            "Serverless-LambdaDLQ",
            "Serverless-LambdaTracing",
        )
        return function

    def _firewall(self) -> wafv2.CfnWebACL:
        rules: list[Callable[[int], wafv2.CfnWebACL.RuleProperty]] = [
            *(partial(_managed, name) for name in MANAGED_RULES),
            _body_size,
            *(partial(_rate, rate) for rate in edge_rules.RATES),
        ]
        firewall = wafv2.CfnWebACL(
            self,
            "Firewall",
            scope="CLOUDFRONT",
            description="Managed rules, largest body, requests per address",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("avarez-firewall"),
            rules=[rule(priority) for priority, rule in enumerate(rules)],
            association_config=wafv2.CfnWebACL.AssociationConfigProperty(
                request_body={
                    "CLOUDFRONT": wafv2.CfnWebACL.RequestBodyAssociatedResourceTypeConfigProperty(
                        default_size_inspection_limit="KB_64"
                    )
                }
            ),
        )
        log = logs.LogGroup(
            self,
            "FirewallLog",
            # WAF takes only names that begin so.
            log_group_name=f"aws-waf-logs-{STACK_NAME}",
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        wafv2.CfnLoggingConfiguration(
            self,
            "FirewallLogging",
            resource_arn=firewall.attr_arn,
            log_destination_configs=[
                self.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": "authorization"})
            ],
        )
        return firewall


def _visibility(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _managed(name: str, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    """A rule group of AWS. Its 8 kB body limit only counts: ours stands in its place."""
    overrides = []
    if name == "AWSManagedRulesCommonRuleSet":
        overrides.append(
            wafv2.CfnWebACL.RuleActionOverrideProperty(
                name="SizeRestrictions_BODY", action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
            )
        )
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name, rule_action_overrides=overrides or None
            )
        ),
        visibility_config=_visibility(name),
    )


def _body_size(priority: int) -> wafv2.CfnWebACL.RuleProperty:
    """A body above the limit is refused, but where a path has its own, which its handler holds."""
    too_large = wafv2.CfnWebACL.StatementProperty(
        size_constraint_statement=wafv2.CfnWebACL.SizeConstraintStatementProperty(
            comparison_operator="GT",
            size=edge_rules.BODY_MAX_BYTES,
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(
                body=wafv2.CfnWebACL.BodyProperty(oversize_handling="MATCH")
            ),
            text_transformations=[_untransformed()],
        )
    )
    elsewhere = [
        wafv2.CfnWebACL.StatementProperty(
            not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=_path(path, "EXACTLY"))
        )
        for path in edge_rules.BODY_MAX_BYTES_BY_PATH
    ]
    return wafv2.CfnWebACL.RuleProperty(
        name="BodyTooLarge",
        priority=priority,
        action=_refusal(edge_rules.BODY_REFUSED_STATUS),
        statement=wafv2.CfnWebACL.StatementProperty(
            and_statement=wafv2.CfnWebACL.AndStatementProperty(statements=[too_large, *elsewhere])
        ),
        visibility_config=_visibility("BodyTooLarge"),
    )


def _rate(rule: edge_rules.RateRule, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=f"Rate{rule.name}",
        priority=priority,
        action=_refusal(edge_rules.RATE_REFUSED_STATUS),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP",
                limit=rule.requests_max,
                evaluation_window_sec=edge_rules.RATE_WINDOW_S,
                scope_down_statement=_path(rule.prefix, "STARTS_WITH"),
            )
        ),
        visibility_config=_visibility(f"Rate{rule.name}"),
    )


def _path(text: str, constraint: str) -> wafv2.CfnWebACL.StatementProperty:
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint=constraint,
            search_string=text,
            text_transformations=[_untransformed()],
        )
    )


def _refusal(status: int) -> wafv2.CfnWebACL.RuleActionProperty:
    return wafv2.CfnWebACL.RuleActionProperty(
        block=wafv2.CfnWebACL.BlockActionProperty(
            custom_response=wafv2.CfnWebACL.CustomResponseProperty(response_code=status)
        )
    )


def _untransformed() -> wafv2.CfnWebACL.TextTransformationProperty:
    return wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
