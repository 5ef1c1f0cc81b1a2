"""HTTP: the public figures, for everybody. No file changes under its name; the index names the newest ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from avarez.errors import FiguresNotFound, MunicipalityUnknown
from avarez.figures.cells import COLUMNS
from avarez.figures.definitions import BY_NAME, DEFINITIONS
from avarez.figures.files import city_from
from avarez.http import Request, Response, Router, json_response
from avarez.money import format_rial
from avarez.municipalities import find_municipality
from functions.report import wiring
from functions.report.budgets.store import Version
from functions.report.store import CONTENT_TYPES, FILE_NAME

router = Router("report-open")
INDEX_CACHE_S: Final = 300
"""A publication comes once a day; five minutes late is early enough."""
FILE_CACHE_S: Final = 365 * 24 * 3600
DEFINITION_CACHE_S: Final = 3_600
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Lambda answers at most 6 MB, a third of which base64 takes."""
PERIOD: Final = re.compile(r"[0-9]{4}(-[0-9]{2})?", re.ASCII)


@router.route("GET", "/v1/open", public=True)
def read_index(request: Request) -> Response:
    """The publication that stands: commitment, totals and files of each city. 404 before the first one."""
    name, manifest = _standing()
    cities = []
    for entry in manifest["cities"]:
        city = find_municipality(entry["municipality"])
        named = {} if city is None else {**city.to_json(), "code": None}
        told = {**{key: text for key, text in named.items() if text}, **entry, "files": _linked(entry["files"])}
        if "owed" in entry:
            told["owed"] = {**entry["owed"], "files": _linked(entry["owed"]["files"])}
        cities.append(told)
    body = {
        **manifest,
        "cities": cities,
        "manifest": {"name": name, "href": f"/v1/open/files/{name}"},
        "definitions": "/v1/open/definitions",
    }
    return _cached(body, INDEX_CACHE_S, publication=manifest["number"])


def _linked(files: Mapping[str, Any]) -> dict[str, Any]:
    return {form: {**of, "href": f"/v1/open/files/{of['name']}"} for form, of in files.items()}


@router.route("GET", "/v1/open/files/{name}", public=True)
def read_file(request: Request) -> Response:
    """A file of any publication under its content's hash; 302 to object storage where it is large."""
    name = request.params["name"]
    if FILE_NAME.fullmatch(name) is None:
        raise FiguresNotFound()
    content = wiring.shelf().read(name)
    if len(content) > ANSWER_BYTES_MAX:
        return Response(302, "", {"location": wiring.shelf().address(name), "cache-control": "no-store"})
    form = name.partition(".")[2]
    headers = {
        "content-type": CONTENT_TYPES[form],
        "cache-control": f"public, max-age={FILE_CACHE_S}, immutable",
        "content-disposition": f'attachment; filename="avarez-{name[:12]}.{form}"' if form != "json" else "inline",
    }
    body: str | bytes = content if form == "parquet" else content.decode()
    return Response(200, body, headers)


@router.route("GET", "/v1/open/cells/{municipality}", public=True)
def read_cells(request: Request) -> Response:
    """The rows of a city as objects. Whatever chooses stands in the path, which is a cache's whole key."""
    return _cells(request.params["municipality"], "")


@router.route("GET", "/v1/open/cells/{municipality}/{period}", public=True)
def read_cells_of_period(request: Request) -> Response:
    """The rows of a city in one Jalali month or year, `1404-12` or `1404`."""
    period = request.params["period"]
    if PERIOD.fullmatch(period) is None:
        raise FiguresNotFound()
    return _cells(request.params["municipality"], period)


def _of_city(code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest that stands, and what it says of the city.

    Raises: MunicipalityUnknown; FiguresNotFound where nothing of the city is published.
    """
    if find_municipality(code) is None:
        raise MunicipalityUnknown()
    _, manifest = _standing()
    entry = next((of for of in manifest["cities"] if of["municipality"] == code), None)
    if entry is None:
        raise FiguresNotFound()
    return manifest, entry


@router.route("GET", "/v1/open/planning/{municipality}", public=True)
def read_planning(request: Request) -> Response:
    """The forecast of the city's year with its error, its curves, and arrears that came in by their age."""
    from functions.report import planners  # most readers ask for files and cells

    manifest, entry = _of_city(request.params["municipality"])
    return _cached({**planners.planning(entry), "number": manifest["number"]}, INDEX_CACHE_S)


@router.route("GET", "/v1/open/effects/{municipality}/{day}/{days}/{against}", public=True)
def read_effect(request: Request) -> Response:
    """Before and after a dated measure, beside the year before and other cities (`all`, or codes with commas)."""
    from functions.report import planners

    manifest, _ = _of_city(request.params["municipality"])
    found = planners.effect(manifest["cities"], request.params)
    return _cached({**found, "number": manifest["number"]}, INDEX_CACHE_S)


def _cells(code: str, period: str) -> Response:
    """Raises: MunicipalityUnknown; FiguresNotFound where nothing of the city is published."""
    manifest, entry = _of_city(code)
    city = city_from(wiring.shelf().read(entry["files"]["json"]["name"]))
    rows = [
        dict(zip(COLUMNS, (*key, format_rial(rial), count), strict=True))
        for key, (rial, count) in city.rows.items()
        if key.month.startswith(period)
    ]
    body = {"municipality": code, "number": manifest["number"], "commitment": entry["commitment"], "cells": rows}
    return _cached(body, INDEX_CACHE_S)


@router.route("GET", "/v1/open/definitions", public=True)
def read_definitions(request: Request) -> Response:
    """What each figure and each column means, in both languages."""
    return _cached({"definitions": [definition.told() for definition in DEFINITIONS]}, DEFINITION_CACHE_S)


@router.route("GET", "/v1/open/definitions/{figure}", public=True)
def read_definition(request: Request) -> Response:
    """What one of them means."""
    definition = BY_NAME.get(request.params["figure"])
    if definition is None:
        raise FiguresNotFound()
    return _cached(definition.told(), DEFINITION_CACHE_S)


@router.route("GET", "/v1/open/budgets", public=True)
def read_categories(request: Request) -> Response:
    """The categories that budgets are told by."""
    body = {
        "categories": _categories(),
        "definition": "/v1/open/definitions/budget",
    }
    return _cached(body, DEFINITION_CACHE_S)


@router.route("GET", "/v1/open/budgets/{municipality}", public=True)
def read_budgets(request: Request) -> Response:
    """What a city says that the duty is spent on, by fiscal year; empty where it has published nothing yet."""
    code = request.params["municipality"]
    city = find_municipality(code)
    if city is None:
        raise MunicipalityUnknown()
    years: dict[int, list[Version]] = {}
    for version in wiring.budgets().of_city(code):
        years.setdefault(version.year, []).append(version)
    body = {
        **city.to_json(),
        "municipality": code,
        "categories": _categories(),
        "definition": "/v1/open/definitions/budget",
        "years": [_year_told(versions) for _, versions in sorted(years.items(), reverse=True)],
    }
    return _cached(body, INDEX_CACHE_S)


def _categories() -> list[dict[str, str]]:
    from avarez.planning.budgets import categories

    return [category.told() for category in categories().values()]


def _year_told(versions: Sequence[Version]) -> dict[str, Any]:
    """What stands of a year, and where every version lies; who published it is the city's own matter."""
    histories = [
        {
            "version": of.number,
            "published_at": of.document["published_at"],
            "files": {form: f"/v1/open/files/{name}" for form, name in of.files.items()},
        }
        for of in versions
    ]
    standing = versions[-1]
    told = {name: standing.document[name] for name in ("year", "version", "published_at", "plan", "actual")}
    return {**told, "files": histories[-1]["files"], "versions": histories}


def _standing() -> tuple[str, dict[str, Any]]:
    """The manifest that stands, under its name.

    Raises: FiguresNotFound before the first publication.
    """
    standing = wiring.register().standing()
    if standing is None:
        raise FiguresNotFound()
    return standing.manifest, json.loads(wiring.shelf().read(standing.manifest))


def _cached(body: dict[str, Any], cache_s: int, **log_fields: Any) -> Response:
    return json_response(body, headers={"cache-control": f"public, max-age={cache_s}"}, **log_fields)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
