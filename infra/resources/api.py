"""The HTTP API: one route per line of the table, a token demanded on all but the public ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.resources.acknowledgments import acknowledge
from infra.resources.identity import Identity
from infra.routes import ENTRY_POINTS, SCOPE_PREFIX, Route

THROTTLE_RATE = 2_000
"""Requests per second and stage: twice the peak the system is designed for."""

THROTTLE_BURST = 4_000

PUBLIC_WRITE_RATE = 200
"""Of a public route that takes a body: sign-ins, callbacks, uploaded certificates."""

ACCESS_LOG_FIELDS = {
    "request_id": "$context.requestId",
    "at": "$context.requestTime",
    "source_ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_error": "$context.integrationErrorMessage",
    "authorizer_error": "$context.authorizer.error",
    "username": "$context.authorizer.claims.username",
}
"""The route's template, not the path: a plate in a URL stays out of the log."""


class Api(Construct):
    """What the world calls."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions_of: str,
        identity: Identity,
    ) -> None:
        """The API with its authorizer, routes and stage. Pages come from the same origin: no CORS.

        ``functions_of`` is the stack whose functions it calls: their names are made of its name.
        """
        super().__init__(scope, construct_id)
        self._functions_of = functions_of
        self.api = apigateway.CfnApi(
            self,
            "Http",
            name=f"{functions_of}-api",
            protocol_type="HTTP",
            description="Avarez: duty, payments, certificates, verification",
        )
        authorizer = apigateway.CfnAuthorizer(
            self,
            "Tokens",
            api_id=self.api.ref,
            name="tokens",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=identity.issuer, audience=[identity.client.user_pool_client_id]
            ),
        )
        self._log = logs.LogGroup(
            self, "AccessLog", retention=logs.RetentionDays.ONE_YEAR, removal_policy=RemovalPolicy.DESTROY
        )
        routes = []
        rates: dict[str, int] = {}
        for entry in ENTRY_POINTS:
            if not entry.routes:
                continue
            integration = self._integration(entry.name)
            for route in entry.routes:
                routes.append(self._route(route, integration, authorizer))
                if route.rate_per_s is not None:
                    rates[f"{route.method} {route.path}"] = route.rate_per_s
                elif route.scope is None and route.method == "POST":
                    rates[f"{route.method} {route.path}"] = PUBLIC_WRITE_RATE
        self._stage(routes, rates)

    def _integration(self, name: str) -> apigateway.CfnIntegration:
        stack = Stack.of(self)
        function_name = f"{self._functions_of}-{name}"
        title = "".join(word.title() for word in name.split("-"))
        lambda_.CfnPermission(
            self,
            f"MayInvoke{title}",
            action="lambda:InvokeFunction",
            function_name=function_name,
            principal=iam.ServicePrincipal("apigateway.amazonaws.com").service,
            source_arn=stack.format_arn(service="execute-api", resource=self.api.ref, resource_name="$default/*"),
        )
        return apigateway.CfnIntegration(
            self,
            f"Calls{title}",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=stack.format_arn(
                service="lambda",
                resource="function",
                resource_name=function_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            payload_format_version="2.0",
        )

    def _route(
        self,
        route: Route,
        integration: apigateway.CfnIntegration,
        authorizer: apigateway.CfnAuthorizer,
    ) -> apigateway.CfnRoute:
        secured = route.scope is not None
        made = apigateway.CfnRoute(
            self,
            f"{route.method} {route.path}".replace("/", "|"),
            api_id=self.api.ref,
            route_key=f"{route.method} {route.path}",
            target=f"integrations/{integration.ref}",
            authorization_type="JWT" if secured else "NONE",
            authorizer_id=authorizer.ref if secured else None,
            authorization_scopes=[f"{SCOPE_PREFIX}/{route.scope}"] if secured else None,
        )
        if not secured:
            acknowledge(
                made,
                "Public on purpose: it signs in, verifies a certificate, takes a gateway's return or tells "
                "that the system is up, or is an owner's, whose token its function checks; its handler trusts "
                "nothing that it is sent.",
                "AwsSolutions-APIG4",
            )
        return made

    def _stage(self, routes: list[apigateway.CfnRoute], rates: Mapping[str, int]) -> None:
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=self._log.log_group_arn, format=json.dumps(ACCESS_LOG_FIELDS)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=THROTTLE_RATE,
                throttling_burst_limit=THROTTLE_BURST,
                detailed_metrics_enabled=True,
            ),
            route_settings={
                route_key: {
                    "ThrottlingRateLimit": rate,
                    "ThrottlingBurstLimit": 2 * rate,
                    "DetailedMetricsEnabled": True,
                }
                for route_key, rate in rates.items()
            },
        )
        for route in routes:
            stage.add_resource_dependency(route)

    @property
    def host(self) -> str:
        """The host name of the API's own endpoint."""
        stack = Stack.of(self)
        return f"{self.api.ref}.execute-api.{stack.region}.{stack.url_suffix}"

    @property
    def endpoint(self) -> str:
        """The address of the API, without a trailing slash."""
        return self.api.attr_api_endpoint
