"""HTTP: what a city is owed, as a table and for a spreadsheet."""

from __future__ import annotations

from avarez.dynamo import Table
from avarez.errors import MunicipalityUnknown, ReceivablesNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.municipalities import is_municipality
from avarez.receivables.table import Receivables
from avarez.receivables.table_store import ReceivablesShelf, Standing
from avarez.settings import setting


def add_to(router: Router) -> None:
    """The routes, as part of another function's."""
    path = "/v1/municipalities/{code}/receivables"
    router.route("GET", path, scopes=["ledger.read"])(read)
    router.route("GET", f"{path}.csv", scopes=["ledger.read"])(read_csv)


def read(request: Request) -> Response:
    """The table that stands, with what it was computed from and when. 404 before the first one."""
    standing, table = _table(request)
    return json_response({**table.to_json(), "computed_at": standing.computed_at})


def read_csv(request: Request) -> Response:
    """Its rows for a spreadsheet."""
    _, table = _table(request)
    name = f"{table.municipality}-receivables-{table.commitment.as_of.isoformat()}.csv"
    headers = {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(200, table.csv(), headers)


def _table(request: Request) -> tuple[Standing, Receivables]:
    municipality = request.params["code"]
    if not is_municipality(municipality):
        raise MunicipalityUnknown()
    shelf = ReceivablesShelf(Table(setting("DUTY_TABLE")), setting("ROLLS_BUCKET"))
    standing = shelf.standing(municipality) if request.principal.reaches(municipality) else None
    if standing is None:
        raise ReceivablesNotFound()
    return standing, shelf.table(standing)
