"""A city's emblem and contact; an emblem is set in type once before it is accepted, as on a certificate."""

from __future__ import annotations

import functools
import re
from typing import Annotated, Any, Final

import typst
from pydantic import BaseModel, ConfigDict, Field

from avarez import keys
from avarez.dynamo import Table, transact
from avarez.errors import EmblemRefused, MunicipalityNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.identifiers import read_postal_code
from avarez.municipalities import is_municipality
from avarez.settings import setting
from functions.certify.document.emblem import CHARACTERS_MAX, emblem_of
from functions.certify.document.render import typeset

router = Router("certify-profile")
PRINTED: Final = r"^[^\x00-\x1f\x7f<>]*$"
_SHAPE: Final = re.compile(r"<(path|circle|ellipse|rect|line|polyline|polygon)\b")
EXISTS: Final = "attribute_exists(pk) OR attribute_not_exists(pk)"
"""A city without settings gets them with its profile; the table asks for a condition on every update."""


class Contact(BaseModel):
    """Whom the operators call, by a way that was known before."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    name: Annotated[str, Field(min_length=3, max_length=100, pattern=PRINTED)]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9]{5,15}$")]
    email: Annotated[str, Field(max_length=200, pattern=r"^[^@\s<>]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")]
    address: Annotated[str, Field(min_length=3, max_length=300, pattern=PRINTED)]
    postal_code: Annotated[str, Field(max_length=20)] = ""


class Profile(BaseModel):
    """The body of `PUT …/profile`; what is left out stays as it is, an empty emblem is the neutral one again."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    emblem_svg: Annotated[str, Field(max_length=CHARACTERS_MAX)] | None = None
    contact: Contact | None = None


@functools.cache
def settings() -> Table:
    """The table with the cities' settings."""
    return Table(setting("DUTY_TABLE"))


@router.route("PUT", "/v1/municipalities/{code}/profile", scopes=["profile.write"])
def put(request: Request) -> Response:
    """200 with what is set now."""
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    body = request.body_json(Profile)
    changes: dict[str, Any] = {}
    if body.emblem_svg is not None:
        changes["emblem_svg"] = printable(body.emblem_svg)
    if body.contact is not None:
        postal_code = read_postal_code(body.contact.postal_code) or ""
        changes["contact"] = {**body.contact.model_dump(), "postal_code": postal_code}
    key = keys.municipality_setting(code)
    if changes:
        transact([settings().update(key, changes, EXISTS)], dynamodb=settings().dynamodb)
    stands = settings().get(key) or {}
    return json_response(
        {"municipality": code, "emblem": bool(stands.get("emblem_svg")), "contact": stands.get("contact")}
    )


def printable(svg: str) -> str:
    """The emblem as it will be printed; nothing for nothing.

    Raises:
        EmblemRefused: it holds more than shapes, or cannot be set in type.
    """
    if not svg.strip():
        return ""
    emblem = emblem_of(svg)
    if not _SHAPE.search(emblem):
        raise EmblemRefused()
    try:
        typeset("emblem.typ", {"svg": emblem}, 0)
    except (RuntimeError, ValueError, typst.TypstError) as error:
        raise EmblemRefused() from error
    return emblem
