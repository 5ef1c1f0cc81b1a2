"""Gathers `merkle_vectors.json`: proofs of RFC 6962 trees, good and bad, as other implementations have them.

`python -m tests.data.merkle_vectors FOLDER` writes it anew from a working copy of
github.com/transparency-dev/merkle (Apache-2.0; its `testdata/inclusion` and `testdata/consistency`, at 417fb0c).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PATH = Path(__file__).with_name("merkle_vectors.json")
KINDS = ("inclusion", "consistency")


def gathered(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Every vector of both kinds, by the name of its file."""
    found: dict[str, list[dict[str, object]]] = {}
    for kind in KINDS:
        root = folder / "testdata" / kind
        found[kind] = [
            {"name": str(path.relative_to(root).with_suffix("")), **json.loads(path.read_text("utf-8"))}
            for path in sorted(root.rglob("*.json"))
        ]
    return found


if __name__ == "__main__":
    lines = [
        f"{json.dumps(kind)}: [\n" + ",\n".join(json.dumps(one) for one in vectors) + "\n]"
        for kind, vectors in gathered(Path(sys.argv[1])).items()
    ]
    PATH.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")
