"""`/_avarez/…`: identity, checkpoint, archive and workers, answered only to who holds the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from infra.local.engine_process.archive import Archive
from infra.local.engine_process.checkpoints import Checkpoints

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Control:
    """The ASGI application: `/_avarez/…` for who holds the token, the engine for everyone."""

    def __init__(
        self, engine: Any, lambda_runtime: Any, token: bytes, checkpoints: Checkpoints, archive: Archive
    ) -> None:
        self._engine = engine
        self._lambda_runtime = lambda_runtime
        self._token = token
        self._checkpoints = checkpoints
        self._archive = archive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, by ASGI."""
        if scope["type"] == "http" and scope["path"].startswith("/_avarez/"):
            await self._answer(scope, send)
        elif scope["type"] == "http" and scope["path"].startswith("/_ministack/reset"):
            await self._send(send, 404, {"error": "not here"})  # would delete the data without asking
        else:
            await self._engine.app(scope, receive, send)

    async def _send(self, send: Send, status: int, body: dict[str, Any]) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    async def _answer(self, scope: Scope, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        path = scope["path"].removeprefix("/_avarez/")
        if path == "identity":
            nonce = headers.get("x-avarez-nonce", b"")
            proof = hmac.new(self._token, nonce, "sha256").hexdigest()
            await self._send(send, 200, {"proof": proof, "pid": os.getpid()})
            return
        if not hmac.compare_digest(headers.get("x-avarez-token", b""), self._token):
            await self._send(send, 403, {"error": "forbidden"})
            return
        if path == "checkpoint":
            self._checkpoints.write_all()
            await self._send(send, 200, {"saved": True})
        elif path == "archive":
            await self._send(send, 200, {"rows": self._archive.attach()})
        elif path.startswith("kill/"):
            name = path.removeprefix("kill/")
            killed = [pid for function, pid in self._workers() if function == name]
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for _ in range(200):
                if not {pid for _, pid in self._workers()} & set(killed):
                    break
                await asyncio.sleep(0.005)
            await self._send(send, 200, {"killed": killed})
        else:
            await self._send(send, 404, {"error": "unknown"})

    def _workers(self) -> list[tuple[str, int]]:
        with self._lambda_runtime._lock:
            return [
                (worker.func_name, worker._proc.pid)
                for workers in self._lambda_runtime._workers.values()
                for worker in workers
                if worker._proc is not None and worker._proc.poll() is None
            ]
