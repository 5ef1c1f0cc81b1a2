"""Runs in the rivals' environment: one certificate after the other, each timed; the last PDF is kept.

Arguments: typesetter, JSON file of certificates, folder of the fonts, PDF to write. Prints milliseconds as JSON.
"""

# mypy: ignore-errors

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import time
from pathlib import Path

PACKAGES = {"in_weasyprint": "weasyprint", "in_fpdf": "fpdf2"}


def main() -> None:
    """Renders every certificate of the file; the first one carries what a process pays once."""
    name, asked, fonts, written = sys.argv[1:5]
    typesetter = importlib.import_module(name)
    certificates = json.loads(Path(asked).read_text(encoding="utf-8"))
    took_ms, made = [], b""
    for one in certificates:
        content = {"page": json.loads(one["page"]), "qr": one["qr"], "message": bytes.fromhex(one["message"])}
        started = time.perf_counter()
        made = typesetter.render(content, fonts)
        took_ms.append((time.perf_counter() - started) * 1000)
    Path(written).write_bytes(made)
    print(json.dumps({"version": importlib.metadata.version(PACKAGES[name]), "took_ms": took_ms}))


if __name__ == "__main__":
    main()
