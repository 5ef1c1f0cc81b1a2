"""A municipality's receiver of our messages, as small as it can be and still right.

`python -m demo.webhook_receiver --secret FILE --data FILE --port 9000` listens on 127.0.0.1. It checks before it
reads, repeats the challenge by which an endpoint is registered, answers a message that it knows with the answer it
gave, and takes the effect of each message once.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from avarez.clock import SystemClock, to_rfc3339
from avarez.errors import SignatureRefused
from avarez.webhooks import BODY_BYTES_MAX, check

REFUSED = b'{"code":"signature_refused"}'
"""One answer to every message that is not ours, whatever is wrong with it."""


class Inbox:
    """The messages that came, each once, with the answer that was given."""

    def __init__(self, path: Path, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        self._secrets, self._now, self._lock = secrets, now, threading.Lock()
        self._rows = sqlite3.connect(path, check_same_thread=False)
        self._rows.execute("CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, body BLOB, answer BLOB)")

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; whoever repeats a message gets the answer of the first time."""
        try:
            message = check(headers, body, self._secrets, self._now())
        except SignatureRefused:
            return 401, REFUSED
        told = json.loads(body)
        if told["type"] == "endpoint.challenge":
            return 200, json.dumps({"challenge": told["data"]["challenge"]}).encode()
        answer = json.dumps({"id": message.message_id, "taken_at": to_rfc3339(self._now())}).encode()
        with self._lock, self._rows:
            row = message.message_id, body, answer
            self._rows.execute("INSERT INTO inbox VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
            found = self._rows.execute("SELECT answer FROM inbox WHERE id = ?", (message.message_id,)).fetchone()
        return 200, bytes(found[0])

    def messages(self) -> list[dict[str, Any]]:
        """The data of the messages, as they came."""
        with self._lock:
            found = self._rows.execute("SELECT body FROM inbox ORDER BY rowid").fetchall()
        return [json.loads(body)["data"] for (body,) in found]

    def count(self) -> int:
        """How many messages have had their effect."""
        with self._lock:
            return int(self._rows.execute("SELECT count(*) FROM inbox").fetchone()[0])


def server(inbox: Inbox, port: int) -> ThreadingHTTPServer:
    """The receiver, bound to 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            fits = length.isascii() and length.isdigit() and int(length) <= BODY_BYTES_MAX
            body = self.rfile.read(int(length)) if fits else b""
            status, answer = inbox.take(dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Nothing: a message's headers are no business of a log."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--secret", type=Path, required=True, help="a file with whsec_…, one a line in a rotation")
    parser.add_argument("--data", type=Path, required=True, help="the file of messages")
    parser.add_argument("--port", type=int, default=9000)
    told = parser.parse_args()
    inbox = Inbox(told.data, told.secret.read_text(encoding="ascii").split(), SystemClock().now)
    server(inbox, told.port).serve_forever()


if __name__ == "__main__":
    main()
