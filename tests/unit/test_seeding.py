"""The demonstration is loaded on a loaded machine too, where a function's first start outlasts its time limit."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from demo import seed
from demo.seed import SeedError, call, sign_in
from demo.visits import _press

Seen = list[tuple[str, str | None]]
CUT = 0
"""The server ends the connection instead of answering."""


@contextmanager
def origin(*statuses: int, way_back: bool = False) -> Iterator[tuple[str, Seen]]:
    """A service that answers with these statuses, one after the other; what it was asked, with the attempt's key.

    With `way_back` a POST leads to `/callback`, and the statuses are those of the callback.
    """
    left, seen = list(statuses), Seen()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            seen.append((f"{self.command} {self.path}", self.headers["idempotency-key"]))
            self.rfile.read(int(self.headers["content-length"] or 0))
            away = way_back and self.command == "POST"
            status = 303 if away else left.pop(0)
            if status == CUT:
                self.close_connection = True
                return
            body = json.dumps({"access_token": "token", "status": status}).encode()
            self.send_response(status)
            if away:
                self.send_header("location", "/callback")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_first_start_outlasts_its_limit_and_is_asked_again() -> None:
    with origin(502, CUT, 503, 200) as (at, seen):
        assert sign_in(at, "operator", "…") == "token"
    assert [path for path, _ in seen] == ["POST /v1/tokens"] * 4


def test_payment_that_is_asked_again_carries_the_same_key() -> None:
    with origin(504, 201) as (at, seen):
        assert call(at, "POST", "/v1/payments", {}, "token", key="k-1") == (
            201,
            {"access_token": "token", "status": 201},
        )
    assert seen == [("POST /v1/payments", "k-1")] * 2


def test_refusal_is_told_at_once() -> None:
    with origin(401) as (at, seen), pytest.raises(SeedError, match="signing in as clerk: 401"):
        sign_in(at, "clerk", "wrong")
    assert len(seen) == 1


def test_no_answer_at_all_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "TRIES_WHEN_BUSY", 2)
    with origin(CUT, CUT) as (at, _), pytest.raises(SeedError, match="GET /v1/open"):
        call(at, "GET", "/v1/open")


def test_way_back_from_the_gateway_is_gone_again_and_nothing_is_paid_twice() -> None:
    with origin(502, 200, way_back=True) as (at, seen):
        _press(f"{at}/page")
    assert [path for path, _ in seen] == ["POST /page", "GET /callback", "GET /callback"]
