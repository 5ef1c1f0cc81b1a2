"""The service's side of the wire, as a receiver needs it: the sign-in and the events of one city, over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.receiver.told import City, balance_of

CITY = "MASHHAD"
PASSWORD = "a password"
TOKEN = "token"


class Service:
    """`city` is what it tells of; `down` makes it answer 503; `asked` are the places that were asked for."""

    def __init__(self) -> None:
        self.city, self.down, self.asked = City(CITY), False, list[int]()
        self.wrong_rial = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["content-length"])))
                good = self.path == "/v1/tokens" and told == {"username": "officer", "password": PASSWORD}
                self._say(200 if good else 401, {"access_token": TOKEN})

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                if self.headers["authorization"] != f"Bearer {TOKEN}" or service.down:
                    self._say(503, {"code": "throttled", "detail": "later"})
                elif parts.path == f"/v1/municipalities/{CITY}/events":
                    after = int(query["after"][0])
                    service.asked.append(after)
                    found = service.city.events[after : after + int(query["limit"][0])]
                    self._say(
                        200, {"events": [{"type": event.data["type"], "data": event.data} for event in found]}
                    )
                elif parts.path == f"/v1/municipalities/{CITY}/trial-balance":
                    self._say(200, {"accounts": service.accounts()})
                else:
                    self._say(404, {})

            def _say(self, status: int, body: Any) -> None:
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *arguments: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def accounts(self) -> list[dict[str, str]]:
        """The trial balance of all days; every day of the tests lies in one month."""
        return [
            {"account": account, "debit_rial": str(debit_rial + self.wrong_rial), "credit_rial": str(credit_rial)}
            for account, (debit_rial, credit_rial) in sorted(balance_of(self.city.entries).items())
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("AVAREZ_PASSWORD", PASSWORD)
    made = Service()
    yield made
    made.close()
