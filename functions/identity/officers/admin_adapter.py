"""The user pool, for the desk of officers: the one function that may make and disable its users."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from avarez.errors import ServiceBusy
from functions.identity.officers.rules import GROUP


class OfficerPool:
    """Cognito behind one client."""

    def __init__(self, cognito: Any, *, pool_id: str) -> None:
        self._cognito = cognito
        self._pool_id = pool_id

    def admit(self, username: str, password: str) -> None:
        """The name signs in with this password; one that was shut out before is let in again.

        Raises:
            ServiceBusy: the pool does not answer; the invitation is used up, and another one may be made.
        """
        try:
            try:
                self._call("admin_create_user", username, MessageAction="SUPPRESS")
            except self._cognito.exceptions.UsernameExistsException:
                self._call("admin_enable_user", username)
            self._call("admin_set_user_password", username, Password=password, Permanent=True)
            self._call("admin_add_user_to_group", username, GroupName=GROUP)
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error

    def shut_out(self, username: str) -> None:
        """No sign-in and no refresh from now on.

        Raises:
            ServiceBusy: the pool does not answer; nothing else was changed.
        """
        try:
            self._call("admin_disable_user", username)
            self._call("admin_user_global_sign_out", username)
        except self._cognito.exceptions.UserNotFoundException:
            return
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error

    def _call(self, operation: str, username: str, **parameters: Any) -> None:
        getattr(self._cognito, operation)(UserPoolId=self._pool_id, Username=username, **parameters)
