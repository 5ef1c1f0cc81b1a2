"""A gateway's own record: payments and settings in one sqlite file; amounts in the gateway's unit."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

Settings = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
  token TEXT PRIMARY KEY, merchant TEXT NOT NULL, order_id TEXT NOT NULL, amount INTEGER NOT NULL,
  callback_url TEXT NOT NULL, state TEXT NOT NULL, reference TEXT,
  created_at REAL NOT NULL, paid_at REAL, verified_at REAL, reversed_at REAL);
CREATE INDEX IF NOT EXISTS by_paid_at ON payments (paid_at);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Book:
    """Every payment this gateway has seen, and how it is told to behave."""

    def __init__(self, file: Path, defaults: Settings) -> None:
        """`defaults` names at least `page_lifetime_s` and `verify_window_s`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(file, isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        self.defaults = defaults
        self.settings: Settings = {**defaults, "clock_offset_s": 0}
        for row in self.database.execute("SELECT name, value FROM settings"):
            self.settings[row["name"]] = json.loads(row["value"])

    def set(self, name: str, value: object) -> None:
        self.settings[name] = value
        self.database.execute("REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def now(self) -> float:
        return time.time() + float(self.settings["clock_offset_s"])

    def open(self, token: str, *, merchant: str, order_id: str, amount: int, callback_url: str) -> None:
        """A new payment, open to be paid."""
        self.database.execute(
            "INSERT INTO payments (token, merchant, order_id, amount, callback_url, state, created_at)"
            " VALUES (?, ?, ?, ?, ?, 'open', ?)",
            (token, merchant, order_id, amount, callback_url, self.now()),
        )

    def find(self, token: str) -> sqlite3.Row | None:
        """The payment behind the token, after time has done its work on it."""
        self.let_time_pass()
        row: sqlite3.Row | None = self.database.execute(
            "SELECT * FROM payments WHERE token = ?", (token,)
        ).fetchone()
        return row

    def by_reference(self, reference: str) -> sqlite3.Row | None:
        """The payment with this reference, after time has done its work on it."""
        self.let_time_pass()
        row: sqlite3.Row | None = self.database.execute(
            "SELECT * FROM payments WHERE reference = ? ORDER BY paid_at LIMIT 1", (reference,)
        ).fetchone()
        return row

    def has_order(self, order_id: str) -> bool:
        """Whether a payment of this order was ever opened."""
        found = self.database.execute("SELECT 1 FROM payments WHERE order_id = ?", (order_id,)).fetchone()
        return found is not None

    def paid_between(self, start: float, end: float) -> list[sqlite3.Row]:
        """The payments that were paid in this time, oldest first."""
        self.let_time_pass()
        return self.database.execute(
            "SELECT * FROM payments WHERE paid_at >= ? AND paid_at < ? ORDER BY paid_at", (start, end)
        ).fetchall()

    def newest_reference(self) -> str:
        """The reference of the last payment that was paid; empty when there is none."""
        row = self.database.execute(
            "SELECT reference FROM payments WHERE paid_at IS NOT NULL ORDER BY paid_at DESC LIMIT 1"
        ).fetchone()
        return str(row["reference"]) if row else ""

    def newest(self, order_id: str, limit: int) -> list[dict[str, Any]]:
        """The newest payments, all or those of one order."""
        self.let_time_pass()
        rows = self.database.execute(
            "SELECT * FROM payments WHERE ? IN ('', order_id) ORDER BY created_at DESC LIMIT ?", (order_id, limit)
        )
        return [dict(row) for row in rows]

    def let_time_pass(self) -> None:
        """Pages close; money that nobody verified in the window goes back to the payer."""
        now = self.now()
        self.database.execute(
            "UPDATE payments SET state = 'expired' WHERE state = 'open' AND created_at < ?",
            (now - self.settings["page_lifetime_s"],),
        )
        self.database.execute(
            "UPDATE payments SET state = 'reversed', reversed_at = paid_at + ?"
            " WHERE state = 'paid' AND paid_at < ?",
            (self.settings["verify_window_s"], now - self.settings["verify_window_s"]),
        )

    def change(self, token: str, before: str, **columns: object) -> bool:
        """Whether the payment was in the state `before` and now has these columns."""
        names = ", ".join(f"{name} = ?" for name in columns)
        cursor = self.database.execute(
            f"UPDATE payments SET {names} WHERE token = ? AND state = ?",  # noqa: S608 - names are ours
            (*columns.values(), token, before),
        )
        return cursor.rowcount == 1
