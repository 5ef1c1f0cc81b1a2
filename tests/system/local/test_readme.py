"""The lines of the README are run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.system.conftest import System

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 120


def test_the_journey_with_curl_is_as_the_readme_says(system: System, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"## The journey with curl\n.*?```sh\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    lines = found[1]
    assert "API=http://127.0.0.1:8080\n" in lines
    script = lines.replace("http://127.0.0.1:8080", system.origin).replace(".venv/bin/", f"{ROOT}/.venv/bin/")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stderr}\n{ran.stdout[-3_000:]}"
    assert '"verdict":"valid"' in ran.stdout
    assert "SIGNATURE GOOD" in ran.stdout
    assert (tmp_path / "certificate.pdf").read_bytes().startswith(b"%PDF-")
