"""`python -m infra.openapi` writes web/docs/openapi.json; a test says when that is due."""

from __future__ import annotations

import sys

from infra.openapi.document import OUT, rendered

if __name__ == "__main__":
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(rendered(), "utf-8")
    sys.stdout.write(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB\n")
