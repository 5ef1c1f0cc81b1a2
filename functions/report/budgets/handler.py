"""HTTP: an officer publishes what the city spends the duty on, and reads who published what before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import BudgetOutdated, FieldError, InvalidInput, MunicipalityNotFound, TransactionRefused
from avarez.http import Request, Response, Router, json_response
from avarez.municipalities import is_municipality
from avarez.planning.budgets import budget_from, categories, document_of, files_of
from functions.report import wiring
from functions.report.budgets.rules import VERSIONS_MAX, BudgetBody, budget_of, year_of
from functions.report.budgets.store import Version

router = Router("report-budgets")


@router.route("PUT", "/v1/municipalities/{code}/budgets/{year}", scopes=["budgets.write"])
def put(request: Request) -> Response:
    """200 with the version that stands now: a new one, or the same where nothing differs.

    Raises:
        BudgetOutdated: another version stands than the one that the officer saw.
    """
    code, year = _asked(request)
    body = request.body_json(BudgetBody)
    now = wiring.clock().now()
    budget = budget_of(code, year, body, tehran_today(now))
    versions = wiring.budgets().of_year(code, year)
    standing = versions[-1] if versions else None
    if standing is not None and budget_from(standing.document) == budget:
        return json_response(_told(code, year, versions))
    if body.replaces != (standing.number if standing else 0) or body.replaces >= VERSIONS_MAX:
        raise BudgetOutdated(extra={"version": standing.number if standing else 0})
    document = document_of(
        budget,
        version=body.replaces + 1,
        previous=standing.files["json"] if standing else "",
        published_at=to_rfc3339(now),
    )
    shelf = wiring.shelf()
    files = {form: shelf.keep(content, form) for form, content in files_of(document).items()}
    made = Version(document, files, request.principal.username)
    try:
        wiring.budgets().add(made)
    except TransactionRefused as error:
        raise BudgetOutdated() from error
    return json_response(_told(code, year, [*versions, made]), version=made.number)


@router.route("GET", "/v1/municipalities/{code}/budgets/{year}", scopes=["ledger.read"])
def read(request: Request) -> Response:
    """What stands, and every version with the officer who published it; none yet is no fault."""
    code, year = _asked(request)
    return json_response(_told(code, year, wiring.budgets().of_year(code, year)))


def _asked(request: Request) -> tuple[str, int]:
    """Raises: MunicipalityNotFound, InvalidInput (no fiscal year of ours)."""
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    year = year_of(request.params["year"], tehran_today(wiring.clock().now()))
    if year is None:
        fault = FieldError(
            "/year", "year_invalid", "Not a fiscal year that can be published.", "این سال مالی پذیرفته نیست."
        )
        raise InvalidInput(errors=[fault])
    return code, year


def _told(code: str, year: int, versions: Sequence[Version]) -> dict[str, Any]:
    return {
        "municipality": code,
        "year": year,
        "version": versions[-1].number if versions else 0,
        "budget": versions[-1].document if versions else None,
        "categories": [category.told() for category in categories().values()],
        "versions": [
            {
                "version": of.number,
                "published_at": of.document["published_at"],
                "by": of.by,
                "files": {form: f"/v1/open/files/{name}" for form, name in of.files.items()},
            }
            for of in versions
        ],
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
