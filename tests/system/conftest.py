"""The running local system, as a fixture: all that `make run` starts, on free ports, over data of its own."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.seed import demo_accounts
from demo.snapshot import seeded_folder
from infra.local.process import any_free_port
from infra.local.system import LocalSystem
from tests.answers_seen import note_call

TIMEOUT_S = 30.0
POLL_S = 0.05
TOKEN_KEPT_S = 1_800.0
"""A token lasts an hour; a proof in full may take longer than that before the next test."""


class Headers(dict[str, str]):
    """An answer's headers; names in any case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of this name in any case."""
        return super().get(name.lower(), default)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; redirects are never followed."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """One account's calls, or an anonymous caller's. Every call has its own connection: use it from any thread."""

    def __init__(self, origin: str, token: str = "") -> None:
        self._origin = origin
        self.token = token

    def request(
        self, method: str, address: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request, to a path of the system or to any absolute address on this machine."""
        parts = urlsplit(address if "://" in address else self._origin + address)
        sent = {"accept": "application/json"}
        ours = parts.netloc == urlsplit(self._origin).netloc
        if self.token and ours:
            sent["authorization"] = f"Bearer {self.token}"
        content: bytes | None
        if body is None or isinstance(body, bytes):
            content = body
        else:
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if content is not None and ours:
            sent["content-type"] = "application/json"
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, content, sent)
            response = connection.getresponse()
            got = Headers({name.lower(): value for name, value in response.getheaders()})
            answer = Answer(response.status, got, response.read())
            if ours:
                note_call(method, parts.path, answer.status, got.get("content-type", ""), answer.body)
            return answer
        finally:
            connection.close()

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return self.request("GET", address, None, headers)

    def post(self, address: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """POST; a dictionary goes as JSON, text and bytes as they are."""
        return self.request("POST", address, body, headers)

    def put(self, address: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """PUT, as POST."""
        return self.request("PUT", address, body, headers)


class System:
    """The running system, as tests see it."""

    def __init__(self, local: LocalSystem) -> None:
        self.local = local
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def origin(self) -> str:
        """Where pages and API answer."""
        return self.local.origin

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return self.local.outputs

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox gateway answers."""
        return self.local.sandbox_url

    @property
    def accounts(self) -> list[dict[str, str]]:
        """The demonstration accounts, as `.data/accounts.json` has them."""
        listed: list[dict[str, str]] = json.loads((self.local.data_dir / "accounts.json").read_text("utf-8"))
        return listed

    def client(self, username: str | None) -> Client:
        """A client signed in as this account, for half an hour at least; anonymous for None."""
        if username is None:
            return Client(self.origin)
        since, _ = self._tokens.get(username, (0.0, ""))
        if not since or time.monotonic() - since > TOKEN_KEPT_S:
            account = next(one for one in demo_accounts() if one["username"] == username)
            answer = Client(self.origin).post(
                "/v1/tokens", {"username": username, "password": account["password"]}
            )
            assert answer.status == 200, answer.text
            self._tokens[username] = time.monotonic(), answer.json["access_token"]
        return Client(self.origin, self._tokens[username][1])

    def aws(self, service: str) -> Any:
        """A boto3 client with the owner's rights."""
        return self.local.admin(service)

    def wait_for(self, read: Callable[[], Any], timeout_s: float) -> Any:
        """The first value of `read` that is neither None nor false."""
        deadline = time.monotonic() + timeout_s
        while True:
            value = read()
            if value is not None and value is not False:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing came within {timeout_s} s")
            time.sleep(POLL_S)

    def function_logs(self, part: str) -> str:
        """What the functions whose names contain this text, in any case, have logged so far."""
        lines = []
        log = self.local.data_dir / "logs" / "functions.log"
        if log.exists():
            for line in log.read_text("utf-8").splitlines():
                record = json.loads(line)
                if part.lower() in record["function"].lower():
                    lines.append(record["log"])
        return "\n".join(lines) + "\n"

    def all_logs(self) -> str:
        """Everything that any part has logged so far."""
        folder = self.local.data_dir / "logs"
        others = [path.read_text("utf-8", "replace") for path in sorted(folder.glob("*.log"))]
        return "\n".join([self.function_logs(""), *others])

    def kill_worker(self, part: str) -> list[int]:
        """Kills the processes of the one function whose name contains this text, where they stand."""
        return self.local.engine.kill_workers(self.local.function_name(part))

    def restart(self) -> None:
        """Stops everything and starts it again over the same data."""
        self.local.restart()

    def crash(self) -> None:
        """Kills everything where it stands, and starts it again over the same data."""
        self.local.kill()
        self.local.start()

    def pause_certificates(self) -> None:
        """From here on nothing issues certificates; messages wait."""
        self._certificates(enabled=False)

    def resume_certificates(self) -> None:
        """Certificates are issued again."""
        self._certificates(enabled=True)

    def _certificates(self, *, enabled: bool) -> None:
        functions = self.aws("lambda")
        name = self.local.function_name("certify-issue")
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
        wanted = "Enabled" if enabled else "Disabled"
        self.wait_for(
            lambda: all(
                mapping["State"] == wanted
                for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
            ),
            TIMEOUT_S,
        )


@pytest.fixture(scope="session")
def seeded() -> Path:
    """A data folder in which everything is deployed and loaded; copy it, never start over it."""
    return seeded_folder()


@pytest.fixture(scope="session")
def system(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system, whole, for the session; nothing of it is left afterwards."""
    data_dir = tmp_path_factory.mktemp("system") / "data"
    shutil.copytree(seeded, data_dir)
    local = LocalSystem(data_dir, port=any_free_port(set()))
    try:
        local.start()
        yield System(local)
        local.stop()
    finally:
        local.kill()


__all__ = ["Answer", "Client", "System"]
