"""Who calls, from the claims that the API's authorizer has checked, checked once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avarez.errors import Unauthorized
from avarez.ids import OWNER_PREFIX
from avarez.settings import setting

GROUPS = ("office", "municipality", "auditor", "operator", "verifier")
SCOPE_PREFIX = "avarez/"
OWNER_GROUP = "owner"


@dataclass(frozen=True, slots=True)
class OwnerReach:
    """What an owner without an account may see: one vehicle, in the collections that name him as its owner.

    `subject` stands for owner and vehicle in records and logs, and says nothing of either. `places` are pairs of
    municipality and plate.
    """

    subject: str
    vehicle_id: str
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: `serves` are the municipalities (or `*`) it may act for; `owner` is set for an owner alone."""

    username: str
    group: str
    municipality: str | None
    office: str | None
    serves: tuple[str, ...]
    scopes: frozenset[str]
    owner: OwnerReach | None = None

    def concerns(self, municipality: str, plate: str, vehicle_id: str) -> bool:
        """Whether what stands in this car's collection exists for the caller; if not, it answers 404."""
        if self.owner is None:
            return self.reaches(municipality)
        return vehicle_id == self.owner.vehicle_id and (municipality, plate) in self.owner.places

    def reaches(self, municipality: str) -> bool:
        """Whether objects of this municipality exist for the caller; if not, they answer 404.

        An owner reaches no municipality: his car is all that he is asked about (`concerns`).
        """
        if self.owner is not None:
            return False
        if self.group == "municipality":
            return municipality == self.municipality
        if self.group == "office":
            return "*" in self.serves or municipality in self.serves
        return True


def principal_of(claims: Mapping[str, Any], scopes: object) -> Principal:
    """The caller that these claims of an access token name.

    Raises:
        Unauthorized: an id token, another issuer or client, or no group of ours.
    """
    if (
        claims.get("token_use") != "access"
        or claims.get("iss") != setting("TOKEN_ISSUER")
        or claims.get("client_id") != setting("USER_POOL_CLIENT_ID")
    ):
        raise Unauthorized()
    granted = frozenset(_words(scopes) or _words(claims.get("scope")))
    groups = [group for group in _words(claims.get("cognito:groups")) if group in GROUPS]
    if len(groups) != 1:
        raise Unauthorized()
    municipality = str(claims.get("municipality") or "") or None
    if groups[0] == "municipality" and municipality is None:
        raise Unauthorized()
    return Principal(
        username=str(claims.get("username", "")),
        group=groups[0],
        municipality=municipality,
        office=str(claims.get("office") or "") or None,
        serves=tuple(_words(claims.get("serves"))),
        scopes=frozenset(scope.removeprefix(SCOPE_PREFIX) for scope in granted if scope.startswith(SCOPE_PREFIX)),
    )


def owner_principal(reach: OwnerReach) -> Principal:
    """The caller that an owner's token names."""
    return Principal(f"{OWNER_PREFIX}{reach.subject}", OWNER_GROUP, None, None, (), frozenset(), reach)


def _words(value: object) -> list[str]:
    """A claim that API Gateway passes as a list, as `[a b]`, or as words with spaces."""
    if isinstance(value, list | tuple):
        return [str(word) for word in value]
    return str(value or "").strip("[]").replace(",", " ").split()
