"""The public API as one account, for subcommands that talk to a running system."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import urllib.error
import urllib.request
from typing import Any, Final

REQUEST_TIMEOUT_S: Final = 60
PASSWORD_VARIABLE: Final = "AVAREZ_PASSWORD"  # noqa: S105 - a name, no password


class Refused(Exception):
    """The service answered with a problem."""


def add_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """`--origin` and `--username`; the password comes from the environment or is asked for."""
    parser.add_argument("--origin", required=required, metavar="URL", help="such as https://avarez.example")
    parser.add_argument("--username", required=required)
    parser.epilog = f"The password comes from {PASSWORD_VARIABLE}, or is asked for."


def is_origin(text: str) -> bool:
    """Whether it is an address that can be asked."""
    return text.startswith(("http://", "https://"))


class Api:
    """The public API, signed in with one account."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.rstrip("/")
        self._token = ""

    @classmethod
    def signed_in(cls, origin: str, username: str) -> Api:
        """Asks for a token.

        Raises:
            Refused: the service does not take the account.
        """
        api = cls(origin)
        password = os.environ.get(PASSWORD_VARIABLE) or getpass.getpass()
        api._token = api.call("POST", "/v1/tokens", {"username": username, "password": password})["access_token"]
        return api

    def tariff_document(self, version: str) -> dict[str, Any]:
        """A published tariff, from the answer or from the address that it names.

        Raises:
            Refused: there is none.
        """
        answer = self.call("GET", f"/v1/tariffs/versions/{version}")
        return dict(answer["document"] if "document" in answer else _fetched(answer["document_url"]))

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON answer.

        Raises:
            Refused: any answer but a success, with its code and detail; or none.
        """
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._origin + path, data=data, method=method, headers=headers
        )
        return dict(json.loads(opened(request, REQUEST_TIMEOUT_S)))


def _fetched(address: str) -> Any:
    if not is_origin(address):
        raise Refused("the service named no address that can be asked")
    return json.loads(opened(urllib.request.Request(address), REQUEST_TIMEOUT_S))  # noqa: S310 - checked above


def opened(request: urllib.request.Request, timeout_s: int) -> bytes:
    """The body of the answer.

    Raises:
        Refused: any answer but a success, or none.
    """
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - the origin that the operator named
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise Refused(f"{error.code} {_problem(error.read())}") from None
    except urllib.error.URLError as error:
        raise Refused(f"no answer from {request.host}: {error.reason}") from None


def _problem(body: bytes) -> str:
    try:
        problem = json.loads(body)
        return f"{problem.get('code', '')}: {problem.get('detail', '')}"
    except (ValueError, AttributeError):
        return body[:200].decode("utf-8", "replace")
