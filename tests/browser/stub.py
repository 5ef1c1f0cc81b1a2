"""A small server for page tests: the pages as the edge serves them, and answers that a test sets beforehand.

It is no model of the system: it says what it is told. The journey through the real system is
`test_office_journey.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from infra import edge_rules

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
FONTS = ROOT / "node_modules" / "vazirmatn" / "fonts" / "webfonts"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}

Answer = tuple[int, Any]
Responder = Callable[[dict[str, Any]], Answer]


class Stub:
    """A running server; `answers["GET /v1/…"]` is a (status, JSON) pair or a function of the request's body.

    `seen` lists every request target with its method, so that a test can say what never left the browser.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Responder] = {}
        self.storage = ""
        self.seen: list[tuple[str, str, dict[str, str], dict[str, Any]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        self.answers.clear()
        self.seen.clear()

    def calls(self, name: str) -> list[dict[str, Any]]:
        """The bodies of the calls `METHOD /path` so far."""
        return [body for method, path, _, body in self.seen if f"{method} {path}" == name]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def page_file(path: str) -> Path | None:
    """The file that the edge's own rules serve at `path`; None where the API answers."""
    if edge_rules.goes_to_api(path):
        return None
    if path.startswith("/fonts/"):
        return FONTS / path.removeprefix("/fonts/")
    if path in edge_rules.VENDORED:
        return ROOT / "node_modules" / edge_rules.VENDORED[path]
    name = edge_rules.page_of(path)
    return WEB / name if name else None


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PUT(self) -> None:
            self._answer("PUT")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nothing: tests read `seen`."""

        def _answer(self, method: str) -> None:
            path = self.path.partition("?")[0]
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            is_json = self.headers.get("content-type", "").startswith("application/json")
            body = json.loads(raw) if raw and is_json else {}
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.seen.append((method, self.path, headers, body))
            file = page_file(path) if method == "GET" else None
            if file is not None:
                self._send_file(file)
                return
            answer = stub.answers.get(f"{method} {self.path}", stub.answers.get(f"{method} {path}"))
            if callable(answer):
                answer = answer(body)
            status, content = answer or (
                404,
                {"code": "route_unknown", "title": "Not there", "detail": "Not there"},
            )
            if isinstance(content, bytes):
                self._send(status, content, "application/pdf", {})
                return
            kind = "application/json" if status < 400 else "application/problem+json"
            self._send(status, json.dumps(content).encode(), kind, {"cache-control": "no-store"})

        def _send_file(self, file: Path) -> None:
            if not file.is_file():
                self._send(404, b"", "text/plain", {})
                return
            headers = {"cache-control": edge_rules.PAGE_CACHE, **edge_rules.SECURITY_HEADERS}
            if file.suffix == ".html":
                headers["content-security-policy"] = edge_rules.content_security_policy(stub.storage)
            if self.path == edge_rules.SERVICE_WORKER_PATH:
                headers["service-worker-allowed"] = edge_rules.SERVICE_WORKER_SCOPE
            self._send(200, file.read_bytes(), TYPES[file.suffix], headers)

        def _send(self, status: int, content: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler
