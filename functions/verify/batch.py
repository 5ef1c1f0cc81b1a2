"""Many certificates in one call, for police and notaries: a verdict for every row, in the order of the rows.

The verdicts are those of `/v1/verify`. Records are read a hundred at a time, so that a row costs its signature and
little else.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from avarez.certificates import cose, link
from avarez.certificates import payload as payloads
from avarez.certificates.jwks import KeySet
from avarez.certificates.link import MAX_CHARACTERS
from avarez.certificates.short_code import MAX_CHARACTERS as CODE_CHARACTERS_MAX
from avarez.certificates.verification import IssuedRecord
from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.errors import ServiceBusy
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.plates import MAX_TEXT_LENGTH
from avarez.settings import setting
from functions.verify import store
from functions.verify.answers import judgement_answer
from functions.verify.check import Issued, Judgement, check_code, check_number, check_shown_text

router = Router("verify-batch")
clock = SystemClock()
#: Measured on the local system and written down in decision 89: far below the 29 s that a call may take.
ROWS_MAX: Final = 500
#: Each is three reads of its own, where a hundred other rows are two.
CODES_MAX: Final = 100
#: Five hundred links of usual length take 240 kB; the edge lets as much pass.
BODY_BYTES_MAX: Final = 512 * 1024


class Row(BaseModel):
    """One certificate as it was shown: its payload, its number, or its short code with the plate."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    payload: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)] | None = None
    certificate_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    code: Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS_MAX)] | None = None
    plate: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)] | None = None

    @model_validator(mode="after")
    def is_one_of_three(self) -> Row:
        """`payload` alone, `certificate_id` alone, or `code` with `plate`."""
        given = {name for name, value in self if value is not None}
        if given not in ({"payload"}, {"certificate_id"}, {"code", "plate"}):
            raise ValueError("give payload, or certificate_id, or code and plate")
        return self


class Batch(BaseModel):
    """The body of `POST /v1/verifications`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    rows: Annotated[list[Row], Field(min_length=1, max_length=ROWS_MAX)]

    @model_validator(mode="after")
    def has_few_codes(self) -> Batch:
        """A short code is looked up on its own, so that there may be fewer of them."""
        if sum(row.code is not None for row in self.rows) > CODES_MAX:
            raise ValueError(f"at most {CODES_MAX} rows with a short code")
        return self


@functools.cache
def register() -> store.Register:
    """The process's register."""
    return store.Register(Table(setting("DUTY_TABLE")))


@router.route("POST", "/v1/verifications", scopes=["certificates.verify"])
def verify_many(request: Request) -> Response:
    """A verdict for every row: a bad certificate is a verdict; a row that shows none refuses the whole body."""
    rows = request.body_json(Batch, BODY_BYTES_MAX).rows
    results = judge_rows(rows, register())
    counts = Counter(result["verdict"] for result in results)
    by = request.principal.username
    return json_response(
        {"results": results, "counts": counts}, 200, None, looked_up_by=by, rows=len(rows), **counts
    )


def judge_rows(rows: Sequence[Row], found: Register) -> list[dict[str, Any]]:
    """Each row's answer, `row` counting from 1; the plate is masked where only a number was given."""
    issued, now = ReadAhead(found, filter(None, map(_named, rows))), clock.now()
    return [
        {"row": number, **judgement_answer(_judge(row, issued, now), masked=row.certificate_id is not None)}
        for number, row in enumerate(rows, 1)
    ]


class Register(Issued, Protocol):
    """The register, where many records can be read at once."""

    def find_many(self, certificate_ids: Collection[str]) -> Mapping[str, IssuedRecord]:
        """What is known of these ids, by id. Raises: ServiceBusy."""
        ...


class ReadAhead:
    """The register with the records of these certificates in hand; anything else is asked of it one by one."""

    def __init__(self, register: Register, certificate_ids: Iterable[str]) -> None:
        self._register = register
        self._asked = set(certificate_ids)
        self._keys: dict[bool, KeySet] = {}
        self._records: Mapping[str, IssuedRecord] | None
        try:
            self._records = register.find_many(self._asked)
        except ServiceBusy:
            self._records = None

    def find(self, certificate_id: str) -> IssuedRecord | None:
        """The record, None when we issued no such certificate. Raises: ServiceBusy."""
        if certificate_id not in self._asked:
            return self._register.find(certificate_id)
        if self._records is None:
            raise ServiceBusy
        return self._records.get(certificate_id)

    def certificate_of_code(self, code: str, plate: str) -> str | None:
        return self._register.certificate_of_code(code, plate)

    def keys(self, *, fresh: bool = False) -> KeySet:
        """The keys, read once for all rows; fresh ones as well, however many rows name a key that nobody knows."""
        if fresh not in self._keys:
            self._keys[fresh] = self._register.keys(fresh=fresh)
        return self._keys[fresh]

    def logged_before(self, message: bytes, instant: datetime) -> bool | None:
        return self._register.logged_before(message, instant)


def _named(row: Row) -> str | None:
    """The certificate that a row claims to be; nothing is known yet about its signature."""
    if row.certificate_id is not None:
        return row.certificate_id if is_id("ce", row.certificate_id) else None
    if row.payload is None:
        return None
    try:
        return payloads.decode(cose.parse(link.read(row.payload).message).payload).certificate_id
    except (link.Unreadable, cose.CoseError, payloads.PayloadError):
        return None


def _judge(row: Row, issued: Issued, now: datetime) -> Judgement:
    if row.payload is not None:
        return check_shown_text(row.payload, issued=issued, now=now)
    if row.certificate_id is not None:
        return check_number(row.certificate_id, issued=issued, now=now)
    return check_code(row.code or "", row.plate or "", issued=issued, now=now)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
