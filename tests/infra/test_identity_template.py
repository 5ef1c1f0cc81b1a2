"""The user pool: who comes in, for how long, and what a client may not do."""

from __future__ import annotations

from typing import Any

from avarez.http.principal import GROUPS as ROUTER_GROUPS
from functions.identity.groups import GROUP_SCOPES
from infra.routes import GROUPS, SCOPES


def _pool(main: Any) -> dict[str, Any]:
    (pool,) = main.of("AWS::Cognito::UserPool").values()
    return dict(pool)


def _client(main: Any) -> dict[str, Any]:
    (client,) = main.of("AWS::Cognito::UserPoolClient").values()
    return dict(client)


def test_pool_takes_no_sign_up(main: Any) -> None:
    assert _pool(main)["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True


def test_pool_asks_for_strong_passwords(main: Any) -> None:
    policy = _pool(main)["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 12
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))


def test_pool_offers_totp_and_no_text_messages(main: Any) -> None:
    assert (_pool(main)["MfaConfiguration"], _pool(main)["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_pool_watches_for_stolen_passwords(main: Any) -> None:
    assert _pool(main)["UserPoolTier"] == "PLUS"
    assert _pool(main)["UserPoolAddOns"] == {"AdvancedSecurityMode": "ENFORCED"}


def test_pool_asks_the_trigger_of_version_2(main: Any) -> None:
    config = _pool(main)["LambdaConfig"]["PreTokenGenerationConfig"]
    assert config["LambdaVersion"] == "V2_0"
    assert "PreToken" in config["LambdaArn"]["Fn::GetAtt"][0]


def test_client_may_write_no_attribute(main: Any) -> None:
    assert _client(main)["WriteAttributes"] == []


def test_client_signs_in_through_the_server_only(main: Any) -> None:
    assert _client(main)["ExplicitAuthFlows"] == ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert _client(main)["AllowedOAuthFlowsUserPoolClient"] is False


def test_client_hides_who_exists(main: Any) -> None:
    assert _client(main)["PreventUserExistenceErrors"] == "ENABLED"


def test_client_tokens_last_an_hour_and_a_shift(main: Any) -> None:
    client = _client(main)
    assert (client["AccessTokenValidity"], client["RefreshTokenValidity"]) == (60, 12 * 60)
    assert set(client["TokenValidityUnits"].values()) == {"minutes"}
    assert client["EnableTokenRevocation"] is True


def test_groups_are_the_same_everywhere(main: Any) -> None:
    pool = {group["GroupName"] for group in main.of("AWS::Cognito::UserPoolGroup").values()}
    assert pool == set(GROUPS) == set(GROUP_SCOPES) == set(ROUTER_GROUPS)


def test_scopes_are_the_same_everywhere(main: Any) -> None:
    (server,) = main.of("AWS::Cognito::UserPoolResourceServer").values()
    offered = {scope["ScopeName"] for scope in server["Scopes"]}
    assert server["Identifier"] == "avarez"
    assert offered == set(SCOPES) == {scope for scopes in GROUP_SCOPES.values() for scope in scopes}
