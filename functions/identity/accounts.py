"""Accounts are made by an administrator: in the pool, and in the table that tokens are filled from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from avarez import keys
from avarez.dynamo import to_item
from functions.identity.groups import GROUP_SCOPES


def create_account(
    *,
    cognito: Any,
    dynamodb: Any,
    user_pool_id: str,
    identity_table: str,
    username: str,
    password: str,
    group: str,
    municipality: str | None = None,
    office: str | None = None,
    serves: Sequence[str] = (),
    name: str = "",
    since: str = "2026-03-21T00:00:00.000Z",
) -> None:
    """The account exists, with this password, in this one group; calling it again changes nothing.

    An officer of a municipality is a head of it from `since` on, called `name`. The row comes first: a sign-in
    never finds a user whose row is still missing. `cognito` and `dynamodb` are boto3 clients with an
    administrator's rights.

    Raises: ValueError for a group that is none, or a municipality officer without a municipality.
    """
    if group not in GROUP_SCOPES:
        raise ValueError(f"no group {group!r}")
    if (group == "municipality") != (municipality is not None):
        raise ValueError("a municipality goes with the group municipality, and with no other")
    if group == "office" and not serves:
        raise ValueError("an office serves at least one municipality, or *")
    username = username.lower()  # the pool takes any case of it; the row has one
    pk, sk = keys.account(username)
    dynamodb.put_item(
        TableName=identity_table,
        Item=to_item(
            {
                "pk": pk,
                "sk": sk,
                "group": group,
                "municipality": municipality,
                "office": office,
                "serves": list(serves),
                "scopes": list(GROUP_SCOPES[group]),
            }
        ),
    )
    if municipality is not None:
        pk, sk = keys.officer(municipality, username)
        head = {"municipality": municipality, "username": username, "role": "head", "since": since}
        row = {"pk": pk, "sk": sk, "name": name or username, **head}
        dynamodb.put_item(TableName=identity_table, Item=to_item(row))
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=user_pool_id, Username=username, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=user_pool_id, Username=username, Password=password, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=user_pool_id, Username=username, GroupName=group)
