"""Runs microburst with the caller's Host header kept.

Signatures cover that header, and the engine checks them: with another one every request would be refused, and
signing anew would give every function the owner's rights. The version is pinned, since the name is one of its own.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from microburst import __version__, cli
from microburst.forward import Upstream

KNOWN_VERSION: Final = "0.10.0"
_outbound_headers = Upstream._outbound_headers


def with_its_host(self: Upstream, request: Any) -> dict[str, str]:
    """The headers that go on to the engine, Host as the caller signed it."""
    return {**_outbound_headers(self, request), "host": request.headers["Host"]}


if __name__ == "__main__":
    if __version__ != KNOWN_VERSION:
        sys.exit(f"microburst {KNOWN_VERSION} is needed, not {__version__}")
    Upstream._outbound_headers = with_its_host
    sys.exit(cli.main())
