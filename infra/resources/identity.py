"""The user pool: groups, scopes, the one client, and the trigger that writes scopes into tokens."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.resources.acknowledgments import acknowledge
from infra.routes import GROUPS, SCOPE_PREFIX, SCOPES

ACCESS_TOKEN_MINUTES = 60
REFRESH_TOKEN_HOURS = 12
"""A clerk stays in for her shift, and no longer."""


class Identity(Construct):
    """Who may come in. Accounts are made by an administrator only."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """The pool with its groups, resource server and client."""
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True),
            sign_in_case_sensitive=False,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            account_recovery=cognito.AccountRecovery.NONE,
            feature_plan=cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.pool,
            "MFA by TOTP is offered and asked of officers by their organisation; the pool cannot demand "
            "it of programs that municipalities sign in with (POST /v1/tokens).",
            "AwsSolutions-COG2",
        )
        server = self.pool.add_resource_server(
            "Scopes",
            identifier=SCOPE_PREFIX,
            user_pool_resource_server_name="Avarez",
            scopes=[
                cognito.ResourceServerScope(scope_name=name, scope_description=text)
                for name, text in SCOPES.items()
            ],
        )
        self.client = self.pool.add_client(
            "Client",
            generate_secret=False,
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.minutes(ACCESS_TOKEN_MINUTES),
            id_token_validity=Duration.minutes(ACCESS_TOKEN_MINUTES),
            refresh_token_validity=Duration.hours(REFRESH_TOKEN_HOURS),
            read_attributes=cognito.ClientAttributes().with_standard_attributes(email=True),
        )
        self.client.node.add_dependency(server)
        self._forbid_writing()
        for group, description in GROUPS.items():
            cognito.CfnUserPoolGroup(
                self,
                f"Group{group.title()}",
                user_pool_id=self.pool.user_pool_id,
                group_name=group,
                description=description,
            )

    def _forbid_writing(self) -> None:
        """The client may write no attribute: an absent list would mean every standard one.

        The trigger also takes the scope of self-service (aws.cognito.signin.user.admin) out of access
        tokens, so that no token may write an attribute whatever the client's list says.
        """
        child = self.client.node.default_child
        if not isinstance(child, cognito.CfnUserPoolClient):
            raise TypeError(child)
        child.write_attributes = []

    @property
    def issuer(self) -> str:
        """The ``iss`` of the pool's tokens."""
        stack = Stack.of(self)
        return f"https://cognito-idp.{stack.region}.{stack.url_suffix}/{self.pool.user_pool_id}"

    def add_token_trigger(self, function: lambda_.IFunction) -> None:
        """The function is asked for scopes and claims before any token is made (V2_0)."""
        child = self.pool.node.default_child
        if not isinstance(child, cognito.CfnUserPool):
            raise TypeError(child)
        child.lambda_config = cognito.CfnUserPool.LambdaConfigProperty(
            pre_token_generation_config=cognito.CfnUserPool.PreTokenGenerationConfigProperty(
                lambda_arn=function.function_arn, lambda_version="V2_0"
            )
        )
        lambda_.CfnPermission(
            self,
            "MayAskForClaims",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal=iam.ServicePrincipal("cognito-idp.amazonaws.com").service,
            source_arn=self.pool.user_pool_arn,
        )
