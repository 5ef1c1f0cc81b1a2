"""Receivers with one mistake each: ours, and what a hurried program does differently."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from avarez.canonical import content_hash
from avarez.clock import SystemClock
from avarez.webhooks import BODY_BYTES_MAX, sign
from avarez_cli.receiver.taking import Answer, Receiver, said

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


@dataclass(frozen=True)
class Asked:
    """A request: the headers' names as they came."""

    method: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return {one.lower(): value for one, value in self.headers.items()}.get(name, "")

    @property
    def told(self) -> dict[str, Any]:
        """What the body says, as far as it says anything."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.told.get("data", {}))

    @property
    def signed_well(self) -> bool:
        return self.header(SIGNATURE) == self.right_signature()

    def right_signature(self) -> str:
        """What the signature should be, over id and time as they came."""
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        seconds = self.header(TIME).encode("latin-1")
        mac = hmac.new(key, self.header(ID).encode() + b"." + seconds + b"." + self.body, hashlib.sha256)
        return "v1," + base64.b64encode(mac.digest()).decode()

    def resigned(self) -> Asked:
        """The same as if everything about its signature were right."""
        fresh = sign("ms_1", SystemClock().now(), self.body, [SECRET])
        kind = self.header("content-type")
        return replace(self, headers={"content-type": kind, **fresh})

    def rehashed(self, changes: Mapping[str, Any]) -> Asked:
        """The same as if its event were whole with these members."""
        data = {**self.data, **changes}
        data["hash"] = content_hash({name: value for name, value in data.items() if name != "hash"})
        return replace(self, body=json.dumps({**self.told, "data": data}).encode()).resigned()


Good = Callable[[Asked], Answer]
Defect = Callable[[Asked, Good], Answer]
TAKEN = said(200)
BEFORE: set[str] = set()
"""The ids that a receiver saw."""
FAR: set[int] = set()
"""The places that a receiver saw."""


def good(receiver: Receiver) -> Good:
    """What our receiver says."""

    def answer(asked: Asked) -> Answer:
        if asked.method != "POST":
            return said(405)
        return said(413) if len(asked.body) > BODY_BYTES_MAX else receiver.answer(asked.headers, asked.body)

    return answer


def trusts_everybody(asked: Asked, good: Good) -> Answer:
    return good(asked.resigned())


def reads_the_first_signature_alone(asked: Asked, good: Good) -> Answer:
    first = asked.header(SIGNATURE).partition(" ")[0]
    return good(replace(asked, headers={**asked.headers, SIGNATURE: first}))


def knows_one_secret(asked: Asked, good: Good) -> Answer:
    signatures = asked.header(SIGNATURE).split(" ")
    return good(asked) if asked.right_signature() in signatures else said(401)


def forgets_the_time(asked: Asked, good: Good) -> Answer:
    ours = asked.signed_well and asked.header(TIME).isascii() and asked.header(ID)
    return good(asked.resigned() if ours else asked)


def reads_any_digits(asked: Asked, good: Good) -> Answer:
    digits = asked.header(TIME).encode("latin-1").decode()
    ours = asked.signed_well and digits.isdigit() and abs(int(digits) - time.time()) < 300
    return good(asked.resigned() if ours else asked)


def compares_the_beginning(asked: Asked, good: Good) -> Answer:
    begins = asked.right_signature().startswith(asked.header(SIGNATURE))
    return good(asked.resigned() if begins and 10 < len(asked.header(SIGNATURE)) < 40 else asked)


def reads_headers_as_written(asked: Asked, good: Good) -> Answer:
    return good(asked) if ID in asked.headers else said(401)


def answers_a_challenge_with_ok(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return (
        said(200, ok=True) if answer.status == 200 and asked.told.get("type") == "endpoint.challenge" else answer
    )


def repeats_any_challenge(asked: Asked, good: Good) -> Answer:
    text = asked.data.get("challenge")
    return said(200, challenge=text) if text else good(asked)


def refuses_what_it_knows(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    if answer.status == 200 and asked.data.get("event_id") and asked.header(ID) in BEFORE:
        return said(409)
    if answer.status == 200:
        BEFORE.add(asked.header(ID))
    return answer


def falls_over_early_messages(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    sequence = asked.data.get("sequence", 0)
    if answer.status != 200 or not isinstance(sequence, int):
        return answer
    highest = max(FAR, default=0)
    FAR.add(sequence)
    return said(500) if sequence > highest + 1 else answer


def follows_no_chain(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return TAKEN if answer.status == 409 else answer


def proves_no_hash(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return TAKEN if answer.status == 422 and b"hash" in answer.body else answer


def takes_any_city(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return TAKEN if b"another city" in answer.body else answer


def knows_its_types(asked: Asked, good: Good) -> Answer:
    known = asked.told.get("type", "payment.").startswith(("payment.", "endpoint."))
    return good(asked) if known else said(400)


def expects_a_gateway(asked: Asked, good: Good) -> Answer:
    entry = asked.data.get("entry", {})
    accounts = [str(row["account"]) for row in entry.get("postings", [])]
    settled = asked.told.get("type") == "payment.settled" and entry
    strange = settled and not any(account.startswith("gateway_clearing:") for account in accounts)
    return said(422, code="no_gateway") if strange else good(asked)


def knows_its_members(asked: Asked, good: Good) -> Answer:
    return said(400) if {"new_beside"} & asked.told.keys() else good(asked)


def sorts_by_letters(asked: Asked, good: Good) -> Answer:
    awkward = asked.data.get("awkward")
    return said(422) if awkward and sorted(awkward) != sorted(awkward, key=str.lower) else good(asked)


def reads_64_kb(asked: Asked, good: Good) -> Answer:
    return said(413) if len(asked.body) > 65_536 else good(asked)


def crashes_over_broken_text(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return said(500) if answer.status == 422 and b"no JSON" in answer.body else answer


def wants_the_bare_content_type(asked: Asked, good: Good) -> Answer:
    return said(415) if ";" in asked.header("content-type") else good(asked)


def takes_any_content_type(asked: Asked, good: Good) -> Answer:
    kind = {"content-type": "application/json"}
    others = {name: value for name, value in asked.headers.items() if name.lower() != "content-type"}
    return good(replace(asked, headers={**others, **kind}))


def answers_get(asked: Asked, good: Good) -> Answer:
    return said(200, hello=True) if asked.method == "GET" else good(asked)


def says_gone_to_strangers(asked: Asked, good: Good) -> Answer:
    answer = good(asked)
    return said(410) if answer.status == 401 else answer


def server(receiver: Receiver, defect: Defect) -> ThreadingHTTPServer:
    """The receiver with its mistake on a socket of its own."""
    ours = good(receiver)
    BEFORE.clear()
    FAR.clear()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            answer = defect(Asked(self.command, dict(self.headers.items()), body), ours)
            self.send_response(answer.status)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET = do_PUT = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.request_queue_size = 64
    return made
