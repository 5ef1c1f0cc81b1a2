"""The made-up city by pull: the sign-in and `GET …/events?after=`, as the service has them, on this machine."""

from __future__ import annotations

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from avarez.canonical import canonical_bytes
from avarez_cli.conformance.city import MadeUpCity

PAGE_MAX: Final = 500
BODY_BYTES_MAX: Final = 10_000
LOOK_S: Final = 0.02


class Pulled:
    """Serves the city's events on 127.0.0.1, to any name and password, and knows who asked from where."""

    def __init__(self, city: MadeUpCity, port: int) -> None:
        self._city, self._token = city, secrets.token_urlsafe(16)
        self._asked: list[int] = []
        self._shown = city.after
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Where the endpoint's test installation should fetch from."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def show(self, sequence: int) -> int:
        """Events to this place can be fetched from now on; answers how often was asked before."""
        self._shown = sequence
        return len(self._asked)

    def waits(self, places: range, asked_before: int, within_s: float) -> bool:
        """Whether the endpoint asks from one of these places within this time; earlier questions do not count."""
        deadline = time.monotonic() + within_s
        while not any(after in places for after in self._asked[asked_before:]):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_S)
        return True

    def close(self) -> None:
        """Nothing is served any more."""
        self._server.shutdown()
        self._server.server_close()

    def token(self) -> dict[str, Any]:
        """The answer to any sign-in."""
        return {"access_token": self._token, "id_token": self._token, "expires_in": 3_600}

    def events(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer to a pull."""
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        after, limit = query.get("after", "0"), query.get("limit", "100")
        numbers = all(text.isascii() and text.isdigit() for text in (after, limit))
        if authorization != f"Bearer {self._token}":
            return 401, {"code": "unauthorized"}
        if parts.path != f"/v1/municipalities/{self._city.municipality}/events":
            return 404, {"code": "not_found"}
        if not numbers or int(limit) > PAGE_MAX:
            return 400, {"code": "invalid_input"}
        shown = [event for event in self._city.since(int(after)) if event.sequence <= self._shown]
        found = shown[: max(int(limit), 1)]
        self._asked.append(int(after))
        events = [
            {"type": one.data["type"], "timestamp": one.data["occurred_at"], "data": one.data} for one in found
        ]
        reached = found[-1].sequence if found else int(after)
        whose = {"municipality": self._city.municipality, "head": self._shown}
        return 200, {**whose, "events": events, "next_after": reached}


def _handler(pulled: Pulled) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if length.isascii() and length.isdigit() and int(length) <= BODY_BYTES_MAX:
                self.rfile.read(int(length))
            known = self.path == "/v1/tokens"
            self._say(200 if known else 404, pulled.token() if known else {"code": "not_found"})

        def do_GET(self) -> None:
            self._say(*pulled.events(self.path, self.headers.get("authorization", "")))

        def _say(self, status: int, body: dict[str, Any]) -> None:
            sent = json.dumps(body, ensure_ascii=False).encode() if status != 200 else canonical_bytes(body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    return Handler
