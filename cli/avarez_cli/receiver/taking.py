"""What a receiver answers to a request: signature first, then the body, then the books.

| answer | when |
|---|---|
| 200 | taken, known already, or kept until what is missing has come |
| 401 | not signed by one of the secrets within five minutes; one answer, whatever is wrong |
| 405, 411, 413, 415 | no POST, no length, too long, no JSON by its own account |
| 409 | signed, and contradicts what stands in the books: people must look |
| 422 | signed, and no event of this city that its hash vouches for |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from avarez.errors import SignatureRefused
from avarez.webhooks import check
from avarez_cli.receiver.books import Books, Outcome
from avarez_cli.receiver.reading import Unreadable, read_event, read_message

CHALLENGE: Final = "endpoint.challenge"
CHALLENGE_CHARACTERS_MAX: Final = 200
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; the body is JSON."""

    status: int
    body: bytes


def said(status: int, **members: Any) -> Answer:
    return Answer(status, json.dumps(members).encode())


REFUSED: Final = said(401, code="signature_refused")
"""One answer to every message that is not ours, whatever is wrong with it: who forges learns nothing from how."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A city's receiver. `secrets` is asked for each message, so that a rotation needs no restart.

    `incomplete` is called when something is missing: whoever recovers it must not keep the answer waiting.
    """

    books: Books
    secrets: Callable[[], Sequence[str]]
    now: Callable[[], datetime]
    incomplete: Callable[[], None] = lambda: None

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a POST; whatever it says has been written already."""
        try:
            signed = check(headers, body, self.secrets(), self.now())
        except SignatureRefused:
            return REFUSED
        kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
        if [kind.partition(";")[0].strip().lower() for kind in kinds] != [JSON]:
            return said(415, code="media_type_refused")
        try:
            message = read_message(body)
            if message.type == CHALLENGE:
                return said(200, challenge=_challenge(message.data))
            if not message.is_event:
                return said(200, id=signed.message_id)
            outcome = self.books.take(read_event(message.data, self.books.municipality), self.now())
        except Unreadable as error:
            return said(422, code="message_refused", detail=str(error))
        if outcome is Outcome.CONTRADICTS:
            return said(409, code="chain_contradicted")
        if outcome is Outcome.PARKED:
            self.incomplete()
        return said(200, id=signed.message_id)


def _challenge(data: Mapping[str, Any]) -> str:
    text = data.get("challenge")
    if not isinstance(text, str) or not text.isascii() or len(text) > CHALLENGE_CHARACTERS_MAX:
        raise Unreadable("the challenge is no short text")
    return text
