"""POST /v1/tokens: sign in with a password, or stay in with a refresh token."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from avarez.dynamo import client
from avarez.http import Request, Response, Router, json_response
from avarez.settings import setting
from functions.identity.officers import handler as officers
from functions.identity.pool_adapter import CognitoPool
from functions.identity.sign_in import Pool, sign_in

router = Router("identity")

NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"

Text = Annotated[str, Field(min_length=1, max_length=128, pattern=NO_CONTROL)]
Password = Annotated[str, Field(min_length=1, max_length=256, pattern=NO_CONTROL)]
RefreshToken = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[A-Za-z0-9_.+/=-]+$")]


class TokenRequest(BaseModel):
    """Either a name with its password, or a refresh token."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    username: Text | None = None
    password: Password | None = Field(default=None, repr=False)
    refresh_token: RefreshToken | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        by_password = self.username is not None and self.password is not None
        partly = self.username is not None or self.password is not None
        if by_password == (self.refresh_token is not None) or (partly and not by_password):
            raise ValueError("send username and password, or refresh_token, and not both")
        return self


def pool() -> Pool:
    """The user pool of the environment."""
    return CognitoPool(
        client("cognito-idp"),
        pool_id=setting("USER_POOL_ID"),
        client_id=setting("USER_POOL_CLIENT_ID"),
    )


@router.route("POST", "/v1/tokens", public=True)
def create_tokens(request: Request) -> Response:
    """200 with the tokens; 401 `credentials_refused` for whatever is wrong with the credentials."""
    asked = request.body_json(TokenRequest)
    tokens = sign_in(
        pool=pool(),
        username=asked.username,
        password=asked.password,
        refresh_token=asked.refresh_token,
        source_ip=_viewer_address(request),
    )
    return json_response(
        {
            "access_token": tokens.access_token,
            "id_token": tokens.id_token,
            "refresh_token": tokens.refresh_token,
            "expires_in": tokens.expires_in,
            "token_type": "Bearer",
        }
    )


def _viewer_address(request: Request) -> str:
    """The address that CloudFront saw: the last but one that was forwarded; else the API's caller."""
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    try:
        return str(ip_address(forwarded[-2]))
    except (IndexError, ValueError):
        return request.source_ip


router.routes.update(officers.router.routes)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The entry point of the HTTP API."""
    return router.handle(event, context)
