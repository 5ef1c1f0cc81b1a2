"""The address of a municipality's endpoint, read so that there is one way to understand it. Pure.

A URL that two programs read differently is how a guard is passed: here one expression says what is taken, and what
is called is put together from its parts again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from avarez.errors import WebhookUrlRefused

URL_CHARACTERS_MAX: Final = 1_000
HTTPS_PORT: Final = 443
PORTS: Final = frozenset({HTTPS_PORT, 8443})
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
"""Source: RFC 1123, section 2.1. A last label that begins with a letter keeps every writing of an address out."""
_TARGET: Final = r"(?:/[A-Za-z0-9/._~!$&'()*+,;=:@%-]*)?(?:\?[A-Za-z0-9/?._~!$&'()*+,;=:@%-]*)?"
"""Source: RFC 3986, sections 3.3 and 3.4. No fragment: it never reaches a server."""
_HTTPS: Final = re.compile(rf"(?i:https)://((?i:{_HOST}))(?::([1-9][0-9]{{0,4}}))?({_TARGET})", re.ASCII)
_LOOPBACK: Final = re.compile(rf"http://(127\.0\.0\.1):([1-9][0-9]{{0,4}})({_TARGET})", re.ASCII)
HOST_CHARACTERS_MAX: Final = 253
PORT_MAX: Final = 65_535
TARGETS_KEPT: Final = 64
"""An endpoint is sent many messages in a row; what was refused is read again."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: `path` is the request's target, with its query."""

    host: str
    port: int
    path: str
    secure: bool = True

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        return self.host if self.port == (HTTPS_PORT if self.secure else 80) else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The one writing of this target, which is kept and shown."""
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"


@lru_cache(maxsize=TARGETS_KEPT)
def read_target(url: str, *, loopback_allowed: bool = False) -> Target:
    """The target in a municipality's URL; `loopback_allowed` is for receivers of the local system.

    Raises:
        WebhookUrlRefused: it is no plain HTTPS address of a public name on a port that we call.
    """
    # Case is folded only within ASCII: the Kelvin sign is no k.
    if len(url) > URL_CHARACTERS_MAX or not url.isascii():
        raise WebhookUrlRefused()
    if loopback_allowed and (found := _LOOPBACK.fullmatch(url)) and int(found[2]) <= PORT_MAX:
        return Target(found[1], int(found[2]), _path(found[3]), secure=False)
    found = _HTTPS.fullmatch(url)
    if found is None or len(found[1]) > HOST_CHARACTERS_MAX or int(found[2] or HTTPS_PORT) not in PORTS:
        raise WebhookUrlRefused()
    return Target(found[1].lower(), int(found[2] or HTTPS_PORT), _path(found[3]))


def _path(text: str) -> str:
    """The request's target: a query without a path stands behind the root."""
    return text if text.startswith("/") else f"/{text}"
