"""Cognito, as the user pool of a sign-in."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from avarez.errors import CredentialsRefused, ServiceBusy
from functions.identity.sign_in import Tokens

_REFUSALS = frozenset(
    {
        "InvalidParameterException",
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)
"""Whatever the pool says of the credentials, the caller learns one thing: they were refused."""

_BUSY = frozenset({"InternalErrorException", "LimitExceededException", "TooManyRequestsException"})


class CognitoPool:
    """The pool behind one client."""

    def __init__(self, cognito: Any, *, pool_id: str, client_id: str) -> None:
        """`cognito` is a boto3 client of cognito-idp."""
        self._cognito = cognito
        self._pool_id = pool_id
        self._client_id = client_id

    def by_password(self, username: str, password: str, *, source_ip: str) -> Tokens:
        """Tokens for the password; the address lets the pool's threat protection see who tries.

        Raises: CredentialsRefused, also when the pool asks for more than a password; ServiceBusy.
        """
        return self._tokens(
            self._start(
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
                ContextData={
                    "IpAddress": source_ip,
                    "ServerName": "avarez",
                    "ServerPath": "/v1/tokens",
                    "HttpHeaders": [],
                },
            )
        )

    def by_refresh_token(self, refresh_token: str) -> Tokens:
        """Fresh tokens, with the refresh token given unless the pool made a new one.

        Raises: CredentialsRefused when it is expired, revoked or none; ServiceBusy.
        """
        answer = self._start(AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": refresh_token})
        return self._tokens(answer, refresh_token=refresh_token)

    def _start(self, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._cognito.admin_initiate_auth(
                UserPoolId=self._pool_id, ClientId=self._client_id, **parameters
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _REFUSALS:
                raise CredentialsRefused() from None
            if code in _BUSY:
                raise ServiceBusy(retry_after_s=1) from error
            raise
        except BotoCoreError as error:
            raise ServiceBusy(retry_after_s=1) from error
        return answer

    @staticmethod
    def _tokens(answer: dict[str, Any], refresh_token: str = "") -> Tokens:
        result = answer.get("AuthenticationResult")
        if not result:
            raise CredentialsRefused()
        return Tokens(
            access_token=result["AccessToken"],
            id_token=result["IdToken"],
            refresh_token=result.get("RefreshToken") or refresh_token,
            expires_in=int(result["ExpiresIn"]),
        )
