"""Starts, checks and stops the local engine; `engine_process` is what runs inside."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import json
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.engine_process import EXIT_CORRUPT_STATE, EXIT_PORT_TAKEN
from infra.local.process import Child, bare_environment

ROOT = Path(__file__).resolve().parents[2]
ENGINE_PYTHON = ROOT / ".engine" / "bin" / "python"
REGION = "us-east-1"
ACCOUNT = "000000000000"
START_TIMEOUT_SECONDS = 60.0
CALL_TIMEOUT_SECONDS = 60.0


class EngineError(Exception):
    """The engine could not be started or is not ours."""


class PortTaken(EngineError):
    """Something else listens on the engine's port."""


class CorruptState(EngineError):
    """A file of the saved state cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AdminKey:
    """The credentials of the account's owner, made anew for each data folder."""

    access_key_id: str
    secret_access_key: str


def admin_key(data_dir: Path) -> AdminKey:
    """The data folder's own key, made on first use and readable by its owner only."""
    path = data_dir / "admin-key.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        stored = json.loads(path.read_text("utf-8"))
        return AdminKey(stored["access_key_id"], stored["secret_access_key"])
    key = AdminKey(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))
    data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}, file)
    return key


class Engine:
    """A running engine over one data folder."""

    def __init__(self, data_dir: Path, port: int, *, environment: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.key = admin_key(self.data_dir)
        self._token = secrets.token_hex(32)
        self._environment = environment or {}
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The engine's process id."""
        if self._child is None:
            raise EngineError("the engine is not started")
        return self._child.pid

    def running(self) -> bool:
        """Whether the engine's process lives."""
        return self._child is not None and self._child.running()

    def start(self) -> None:
        """The engine answers, and it is ours.

        Raises: CorruptState, PortTaken, EngineError.
        """
        temporary = self.data_dir / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        environment = bare_environment(
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            MINISTACK_HOST="127.0.0.1",
            MINISTACK_REGION=REGION,
            MINISTACK_ACCOUNT_ID=ACCOUNT,
            AUTH="true",
            PERSIST_STATE="1",
            S3_PERSIST="1",
            STATE_DIR=str(self.data_dir / "engine"),
            S3_DATA_DIR=str(self.data_dir / "s3"),
            TMPDIR=str(temporary),
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            COGNITO_EMAIL_ENABLED="false",
            MINISTACK_COGNITO_PRETOKEN_STRICT="1",
            DOCKER_HOST="unix:///nonexistent",
            LOG_LEVEL="WARNING",
            AWS_ACCESS_KEY_ID=self.key.access_key_id,
            AWS_SECRET_ACCESS_KEY=self.key.secret_access_key,
            AWS_EC2_METADATA_DISABLED="true",
            AVAREZ_ENGINE_TOKEN=self._token,
            AVAREZ_PARENT_PID=str(os.getpid()),
            AVAREZ_LOG_DIR=str(self.data_dir / "logs"),
            **self._environment,
        )
        self._child = Child(
            [str(ENGINE_PYTHON), str(Path(__file__).with_name("engine_main.py"))],
            env=environment,
            cwd=self.data_dir,
            log=self.data_dir / "logs" / "engine.log",
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.is_ours():
            if not self._child.running():
                self._explain_end(self._child)
            if time.monotonic() > deadline:
                self.kill()
                raise EngineError(f"the engine did not answer within {START_TIMEOUT_SECONDS:.0f} s")
            time.sleep(0.02)

    def _explain_end(self, child: Child) -> None:
        output = child.output().strip()
        if child.process.returncode == EXIT_PORT_TAKEN:
            raise PortTaken(f"127.0.0.1:{self.port} is taken")
        if child.process.returncode == EXIT_CORRUPT_STATE:
            for line in reversed(output.splitlines()):
                with contextlib.suppress(ValueError, KeyError):
                    told = json.loads(line)
                    raise CorruptState(Path(told["corrupt"]), told["reason"])
        raise EngineError(f"the engine ended ({child.process.returncode}): {output[-2000:]}")

    def is_ours(self) -> bool:
        """Whether the process listening on our port knows our token."""
        nonce = secrets.token_hex(16)
        try:
            told = self._call("GET", "identity", {"x-avarez-nonce": nonce}, timeout=2.0)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        proof = hmac.new(self._token.encode(), nonce.encode(), "sha256").hexdigest()
        return hmac.compare_digest(str(told.get("proof", "")), proof)

    def _call(
        self, method: str, path: str, headers: dict[str, str], timeout: float = CALL_TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, f"/_avarez/{path}", headers=headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise EngineError(f"{path}: {response.status} {body[:200]!r}")
            told: dict[str, Any] = json.loads(body)
            return told
        finally:
            connection.close()

    def _control(self, path: str) -> dict[str, Any]:
        return self._call("POST", path, {"x-avarez-token": self._token})

    def checkpoint(self) -> None:
        """All state is on disk."""
        self._control("checkpoint")

    def archive(self, table: str, files: Sequence[Path]) -> int:
        """How many rows the table now holds packed, from files of this form (`engine_process/archive.py`).

        Rows in which nobody looks for anything but by their keys, and which nobody changes any more.
        """
        folder = self.data_dir / "engine" / "archive" / table
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            unfinished = folder / f"{file.name}.unfinished"
            shutil.copyfile(file, unfinished)
            with open(unfinished, "rb") as written:
                os.fsync(written.fileno())
            unfinished.replace(folder / file.name)
        return int(self._control("archive")["rows"])

    def kill_workers(self, function_name: str) -> list[int]:
        """The function's processes are killed where they stand; their ids."""
        return [int(pid) for pid in self._control(f"kill/{function_name}")["killed"]]

    def stop(self) -> None:
        """State is saved, and no process of the engine is left."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """The engine and its workers are killed as by kill -9."""
        if self._child is not None:
            self._child.kill()

    def client(self, service: str, *, patience_s: int = 60) -> Any:
        """A boto3 client with the owner's rights; one that waits longer asks once."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the stubs know services by their literal names
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key.access_key_id,
            aws_secret_access_key=self.key.secret_access_key,
            config=Config(
                retries={"mode": "standard", "max_attempts": 4 if patience_s <= 60 else 0},
                connect_timeout=5,
                read_timeout=patience_s,
                s3={"addressing_style": "path"},
                parameter_validation=True,
            ),
        )
