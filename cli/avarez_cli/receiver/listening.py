"""The receiver on a socket of this machine. What faces the public is the city's own proxy, and its certificate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol

from avarez.webhooks import BODY_BYTES_MAX
from avarez_cli.receiver.taking import Answer, said

REQUEST_TIMEOUT_S: Final = 30
"""Of silence, while a request is read. The sender gives up after as long."""


class Answers(Protocol):
    """A receiver, or what a test puts before one."""

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a POST."""


class Finds(Protocol):
    """Which receiver a path belongs to."""

    def __call__(self, path: str) -> Answers | None: ...


class Listening(ThreadingHTTPServer):
    """A receiver, or several by their paths, bound to 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, find: Finds) -> None:
        self.find = find
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Listening
    timeout = REQUEST_TIMEOUT_S
    server_version = "Avarez-Receiver/1"
    sys_version = ""

    def do_POST(self) -> None:
        receiver = self.server.find(self.path)
        length = self.headers.get("content-length", "")
        if receiver is None:
            self._say(said(404, code="not_found"))
        elif not (length.isascii() and length.isdigit()):
            self._say(said(411, code="length_required"))
        elif len(length) > len(str(BODY_BYTES_MAX)) or int(length) > BODY_BYTES_MAX:
            self._say(said(413, code="body_too_large"))
        else:
            try:
                body = self.rfile.read(int(length))
            except TimeoutError:
                self.close_connection = True
                return
            self._say(receiver.answer(dict(self.headers.items()), body))

    def _not_allowed(self) -> None:
        self._say(said(405, code="method_not_allowed"), allow="POST")

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every other method has the same answer."""
        if name.startswith("do_"):
            return self._not_allowed
        raise AttributeError(name)

    def _say(self, answer: Answer, **headers: str) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer.body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: a message's headers are no business of a log."""
