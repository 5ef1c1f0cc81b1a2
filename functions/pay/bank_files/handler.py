"""HTTP: a bank's file of paid bills, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import BankFileNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from functions.pay.bank_files import service
from functions.pay.bank_files.wiring import bank_files
from functions.pay.rules.bills import Layout

router = Router("pay-bank-files")
clock = SystemClock()
BODY_BYTES_MAX: Final = 5 << 20
"""A hundred thousand lines; Lambda takes six megabytes."""


class NewBankFile(BaseModel):
    """The body of `POST /v1/bank-files`: the file's text as it came from the bank."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    bank: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,20}$")]
    layout: Annotated[str, Field(pattern=r"^(older|newer)$")] | None = None
    content: Annotated[str, Field(min_length=1, max_length=BODY_BYTES_MAX)]


@router.route("POST", "/v1/bank-files", scopes=["bank-files.write"])
def take_in(request: Request) -> Response:
    """201 with the file; its lines are worked on meanwhile. The same content again gives the first one."""
    body = request.body_json(NewBankFile, BODY_BYTES_MAX)
    file = service.take_in(
        bank_files(),
        bank=body.bank,
        text=body.content,
        layout=Layout(body.layout) if body.layout else None,
        taken_by=request.principal.username,
        now=clock.now(),
    )
    headers = {"location": f"/v1/bank-files/{file.file_id}"}
    return json_response(service.file_json(bank_files(), file), 201, headers, bank_file_id=file.file_id)


@router.route("GET", "/v1/bank-files/{id}", scopes=["bank-files.read"])
def read(request: Request) -> Response:
    """The file's lines by outcome."""
    file_id = request.params["id"]
    file = bank_files().find(file_id) if is_id("bf", file_id) else None
    if file is None:
        raise BankFileNotFound()
    return json_response(service.file_json(bank_files(), file))


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
