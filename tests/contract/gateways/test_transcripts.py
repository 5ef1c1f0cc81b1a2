"""Golden transcripts: what each adapter sends, and what it makes of the documented answers.

Each file of `transcripts/` names its source. They are written from public documents, not recorded from a provider.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avarez.clock import FixedClock
from avarez.errors import OutcomeUnknown
from functions.pay.gateways.port import Gateway, Share
from functions.pay.gateways.registry import ADAPTERS, adapter

FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
STEPS = [
    pytest.param(name, step, id=f"{name}-{step['title']}")
    for name, transcript in TRANSCRIPTS.items()
    for step in transcript["steps"]
]
CLOCKED = {"sadad", "behpardakht"}
"""Adapters that send the time of day."""
NOON = datetime(2026, 11, 23, 8, 30, 5, tzinfo=UTC)


class Scripted(http.server.HTTPServer):
    """Gives the answers of one step in turn, and keeps what was sent."""

    def __init__(self, exchanges: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.exchanges = list(exchanges)
        self.sent: list[tuple[str, str, str]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.sent.append((self.path, self.headers["content-type"], body))
        exchange = self.server.exchanges.pop(0)
        answer = exchange["answer"]
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        self.send_response(exchange.get("status", 200))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base's
        return


@contextmanager
def scripted(exchanges: list[dict[str, Any]]) -> Iterator[Scripted]:
    server = Scripted(exchanges)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def made(name: str, address: str) -> Gateway:
    settings = dict(TRANSCRIPTS[name]["settings"])
    if name in CLOCKED:
        settings["clock"] = FixedClock(NOON)
    return adapter(name)(base_url=address, **settings)


def told(result: Any) -> dict[str, Any]:
    if isinstance(result, list):
        return {"lines": json.loads(json.dumps([asdict(line) for line in result], default=str))}
    return asdict(result) if result is not None else {}


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_adapter_sends_and_understands_what_the_document_says(name: str, step: dict[str, Any]) -> None:
    with scripted(step["exchanges"]) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        gateway = made(name, address)
        arguments = dict(step["arguments"])
        if "shares" in arguments:
            arguments["shares"] = [Share(**share) for share in arguments["shares"]]
        try:
            result = getattr(gateway, step["call"])(**arguments)
        except OutcomeUnknown:
            got: dict[str, Any] = {"verdict": "OutcomeUnknown"}
        else:
            got = {"verdict": type(result).__name__, **told(result)}
        expected = json.loads(json.dumps(step["result"]).replace("{base}", address))
        assert got == expected
        assert len(server.sent) == len(step["exchanges"])
        for (path, kind, body), exchange in zip(server.sent, step["exchanges"], strict=True):
            assert path == exchange["path"]
            sent = exchange["sent"]
            assert kind.startswith("text/xml" if isinstance(sent, str) else "application/json")
            assert (body if isinstance(sent, str) else json.loads(body)) == sent


def test_every_real_adapter_has_a_transcript_that_names_its_source() -> None:
    assert set(TRANSCRIPTS) == set(ADAPTERS) - {"sandbox"}
    for transcript in TRANSCRIPTS.values():
        assert transcript["source"]
        called = {step["call"] for step in transcript["steps"]}
        assert {"request_token", "read_callback", "verify", "read_report"} <= called
