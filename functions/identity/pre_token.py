"""Before Cognito makes a token, it asks here what the token is to say (trigger version V2_0)."""

from __future__ import annotations

from typing import Any

from avarez import keys
from avarez.dynamo import Table
from avarez.observability import log
from avarez.settings import setting
from functions.identity.claims import account_of, overrides


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The event, with the account's claims and scopes in its response; without an account, no scope.

    A failing look-up raises, so that Cognito refuses the sign-in rather than make a token without a tenant.
    """
    username = str(event["userName"])
    groups = (event["request"].get("groupConfiguration") or {}).get("groupsToOverride") or []
    item = Table(setting("IDENTITY_TABLE")).get(keys.account(username.lower()))
    account = account_of(item) if item else None
    event["response"] = {"claimsAndScopeOverrideDetails": overrides(account, groups)}
    log(
        "token",
        caller=username,
        group=account.group if account else "none",
        trigger=event.get("triggerSource", ""),
    )
    return event
