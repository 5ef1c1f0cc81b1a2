"""HTTP: the files of transfers that an operator takes to the bank."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from avarez.clock import tehran_today
from avarez.errors import NothingToTransfer, PlatformAccountMissing, TransferBatchNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.jalali import format_jalali
from avarez.money import format_rial
from functions.pay.settlement import wiring
from functions.pay.settlement.bank.paya import Form, message_id, paya_file
from functions.pay.settlement.bank.transfers import Batch, Debtor, Row

SHOWN_MAX: Final = 100
WRITE: Final = ["settlements.write"]


def register(router: Router) -> None:
    """Puts the routes of files beside those of closes: one function serves both."""
    router.route("POST", "/v1/transfer-batches", scopes=WRITE)(make)
    router.route("GET", "/v1/transfer-batches", scopes=WRITE)(listed)
    router.route("GET", "/v1/transfer-batches/{id}", scopes=WRITE)(read)
    router.route("GET", "/v1/transfer-batches/{id}/paya.xml", scopes=WRITE)(read_iso)
    router.route("GET", "/v1/transfer-batches/{id}/paya.ccti", scopes=WRITE)(read_ccti)


def make(request: Request) -> Response:
    """201 with a file of every transfer that is ready; each stands in one file only."""
    of, now = wiring.parts(), wiring.parts().clock.now()
    execution_day = tehran_today(of.calendar.next_cycle(now)).isoformat()
    batch = of.transfers.make_batch(_debtor(), execution_day=execution_day, by=request.principal.username, now=now)
    if batch is None:
        raise NothingToTransfer()
    return json_response(_whole(batch), 201, batch_id=batch.batch_id, transfers=batch.transfers)


def listed(request: Request) -> Response:
    """The last hundred files, the newest first."""
    found = wiring.parts().transfers.batches(SHOWN_MAX)
    return json_response({"batches": [_batch_json(batch) for batch in found]})


def read(request: Request) -> Response:
    """A file's transfers."""
    return json_response(_whole(_find(request)))


def read_iso(request: Request) -> Response:
    """The file in the standard's form."""
    return _file(request, "iso", "xml")


def read_ccti(request: Request) -> Response:
    """The file in the form of the banks' own tools."""
    return _file(request, "ccti", "ccti")


def _file(request: Request, form: Form, ending: str) -> Response:
    batch = _find(request)
    content = paya_file(batch, wiring.parts().transfers.rows(batch.batch_id), form)
    headers = {
        "content-type": "application/xml; charset=utf-8",
        "content-disposition": f'attachment; filename="paya-{batch.number:06d}.{ending}"',
        "cache-control": "no-store",
    }
    return Response(200, content.decode(), headers, log_fields={"batch_id": batch.batch_id})


def _find(request: Request) -> Batch:
    """The file of the path; one that is still being made is none yet.

    Raises: TransferBatchNotFound.
    """
    batch_id = request.params["id"]
    found = wiring.parts().transfers.batch(batch_id) if is_id("tb", batch_id) else None
    if found is None or found.status != "ready":
        raise TransferBatchNotFound()
    return found


def _debtor() -> Debtor:
    debtor = wiring.parts().debtor()
    if debtor is None:
        raise PlatformAccountMissing()
    return debtor


def _batch_json(batch: Batch) -> dict[str, Any]:
    return {
        "batch_id": batch.batch_id,
        "number": batch.number,
        "status": batch.status,
        "transfers": batch.transfers,
        "total_rial": format_rial(batch.total_rial),
        "execution_day_jalali": format_jalali(date.fromisoformat(batch.execution_day)),
        "manifest_hash": batch.manifest_hash,
        "created_at": batch.created_at,
        "created_by": batch.created_by,
    }


def _whole(batch: Batch) -> dict[str, Any]:
    rows = [_row_json(row) for row in wiring.parts().transfers.rows(batch.batch_id)]
    return {**_batch_json(batch), "message_id": message_id(batch), "rows": rows}


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "municipality": row.municipality,
        "settlement_id": row.settlement_id,
        "reference": row.reference,
        "iban": row.iban,
        "holder": row.holder,
        "amount_rial": format_rial(row.amount_rial),
    }
