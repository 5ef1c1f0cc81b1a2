"""What an access token says of its bearer, from the bearer's account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from functions.identity.groups import GROUP_SCOPES

SCOPE_PREFIX = "avarez/"

SELF_SERVICE_SCOPE = "aws.cognito.signin.user.admin"
"""Cognito's own scope of API sign-ins: with it a token could change its bearer's attributes and password."""


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the identity table: the group, and what part of the country it stands for."""

    group: str
    municipality: str | None
    office: str | None
    serves: tuple[str, ...]
    scopes: tuple[str, ...]


def account_of(item: Mapping[str, Any]) -> Account:
    """The account that the stored item describes."""
    return Account(
        group=str(item["group"]),
        municipality=item.get("municipality"),
        office=item.get("office"),
        serves=tuple(item.get("serves") or ()),
        scopes=tuple(item.get("scopes") or ()),
    )


def overrides(account: Account | None, pool_groups: Collection[str]) -> dict[str, Any]:
    """Claims and scopes for the access token; none unless account and pool agree on the group.

    Source: Amazon Cognito developer guide, pre token generation trigger, event version 2.
    """
    claims: dict[str, str] = {}
    scopes: list[str] = []
    if account is not None and account.group in pool_groups:
        allowed = GROUP_SCOPES.get(account.group, ())
        scopes = [SCOPE_PREFIX + scope for scope in sorted(set(account.scopes) & set(allowed))]
        if account.municipality:
            claims["municipality"] = account.municipality
        if account.office:
            claims["office"] = account.office
        if account.serves:
            claims["serves"] = " ".join(account.serves)
    return {
        "accessTokenGeneration": {
            "claimsToAddOrOverride": claims,
            "scopesToAdd": scopes,
            "scopesToSuppress": [SELF_SERVICE_SCOPE],
        }
    }
