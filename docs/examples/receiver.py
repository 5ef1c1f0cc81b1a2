"""A city's receiver in Python 3.9 or later, with nothing to install. Read it, change it, keep it.

    AVAREZ_CITY=MASHHAD AVAREZ_SECRETS="whsec_…" AVAREZ_BOOKS=books.sqlite python3 receiver.py 9000
    AVAREZ_CITY=MASHHAD AVAREZ_BOOKS=books.sqlite python3 receiver.py balance

With AVAREZ_ORIGIN, AVAREZ_USERNAME and AVAREZ_PASSWORD, what was lost is fetched. It listens on 127.0.0.1: before
it stands your web server, with your name and certificate.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sqlite3
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CITY = os.environ["AVAREZ_CITY"]
SECRETS = os.environ.get("AVAREZ_SECRETS", "").split()  # two, while a new one replaces the old
ORIGIN = os.environ.get("AVAREZ_ORIGIN", "")
TOLERANCE_S, BODY_BYTES_MAX, PULL_TIMEOUT_S = 300, 256 * 1024, 10
FIRST_PREVIOUS_HASH = "0" * 64

books = sqlite3.connect(os.environ["AVAREZ_BOOKS"], isolation_level=None, check_same_thread=False, timeout=30)
books.execute("PRAGMA synchronous = FULL")
books.execute(
    "CREATE TABLE IF NOT EXISTS events (sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL, data TEXT NOT NULL)"
)
one_at_a_time = threading.RLock()


def signature_is_good(headers, body):
    """1. Who speaks? Over the bytes as they came, before anything of them is read."""
    message_id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", message_id) or not re.fullmatch(r"[0-9]{10}", seconds):
        return False
    if abs(time.time() - int(seconds)) > TOLERANCE_S:
        return False
    given = headers.get("webhook-signature", "").encode("latin-1", "replace").split(b" ")
    good = False
    for secret in SECRETS:
        key = base64.b64decode(secret[len("whsec_") :])
        mac = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
        expected = b"v1," + base64.b64encode(mac)
        for one in given:
            good |= hmac.compare_digest(expected, one)
    return good


def hash_of(data):
    """2. Is the event what its hash says? RFC 8785: members sorted, no blanks, UTF-8."""
    content = {name: value for name, value in data.items() if name != "hash"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def head():
    """How far the books are."""
    row = books.execute("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1").fetchone()
    return row or (0, FIRST_PREVIOUS_HASH)


def take(data):
    """3. In its place, once; the status to answer. What is answered with 200 is on the disk."""
    if (
        data.get("municipality") != CITY
        or type(data.get("sequence")) is not int
        or hash_of(data) != data.get("hash")
    ):
        return 422
    sequence, previous_hash = head()
    if data["sequence"] <= sequence:
        (known,) = books.execute("SELECT hash FROM events WHERE sequence = ?", (data["sequence"],)).fetchone()
        return 200 if known == data["hash"] else 409
    if data["sequence"] > sequence + 1:
        return 503  # something before it is missing
    if data.get("previous_hash") != previous_hash:
        return 409  # call us: your books and ours differ
    books.execute("INSERT INTO events VALUES (?, ?, ?)", (data["sequence"], data["hash"], json.dumps(data)))
    return 200


def pull():
    """4. What was lost: the same events by pull, from where the books end."""

    def call(path, body=None, token=""):
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        request = urllib.request.Request(ORIGIN + path, json.dumps(body).encode() if body else None, headers)
        with urllib.request.urlopen(request, timeout=PULL_TIMEOUT_S) as answer:
            return json.load(answer)

    account = {"username": os.environ["AVAREZ_USERNAME"], "password": os.environ["AVAREZ_PASSWORD"]}
    token = call("/v1/tokens", account)["access_token"]
    while True:
        events = call(f"/v1/municipalities/{CITY}/events?after={head()[0]}&limit=500", token=token)["events"]
        if not events or any(take(event["data"]) != 200 for event in events):
            return


def answer_to(headers, body):
    """Status and body of the answer to a POST."""
    if not signature_is_good(headers, body):
        return 401, {}
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return 415, {}
    try:
        message = json.loads(body)
        kind, data = message["type"], message["data"]
        if kind == "endpoint.challenge":
            return 200, {"challenge": data["challenge"]}
        if "sequence" not in data:
            return 200, {}  # a test message, or something new that is no event
        with one_at_a_time:
            status = take(data)
            if status == 503 and ORIGIN:
                try:
                    pull()
                    status = take(data)
                except (OSError, ValueError, KeyError) as error:
                    print("not fetched:", error, file=sys.stderr)
            return status, {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return 422, {}


def balance():
    """The ledger, from the events alone: debits and credits of each account, in rial."""
    accounts = {}
    for (text,) in books.execute("SELECT data FROM events ORDER BY sequence"):
        for posting in json.loads(text).get("entry", {}).get("postings", []):
            sides = accounts.setdefault(posting["account"], [0, 0])
            sides[0] += int(posting["debit_rial"])
            sides[1] += int(posting["credit_rial"])
    return accounts


class Handler(BaseHTTPRequestHandler):
    timeout = 30

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,9}", length):
            return self.say(411, {})
        if int(length) > BODY_BYTES_MAX:
            return self.say(413, {})
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.say(*answer_to(headers, self.rfile.read(int(length))))

    def do_GET(self):
        self.say(405, {})

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    def say(self, status, body):
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


if __name__ == "__main__":
    if sys.argv[1] == "balance":
        for account, (debit, credit) in sorted(balance().items()):
            print(account, debit, credit)
    else:
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
