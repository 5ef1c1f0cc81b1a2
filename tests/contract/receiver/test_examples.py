"""The receivers of docs/examples in Python, PHP and C#: each passes every case, and has the city's ledger."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from avarez_cli.conformance import CASES, trial
from avarez_cli.main import main
from infra.local.process import any_free_port
from tests.contract.receiver.defects import NEW_SECRET, SECRET

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
CITY = "MASHHAD"
START_TIMEOUT_S = 60.0
PACKAGES = {"php": "php-cli php-sqlite3", "mcs": "mono-mcs", "mono": "mono-mcs"}


def needs(*programs: str) -> None:
    """Skips where a program is missing that `make setup-tests` could not install."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install {PACKAGES[program]}")


def python(folder: Path) -> tuple[Sequence[str], Sequence[str]]:
    command = [sys.executable, str(EXAMPLES / "receiver.py")]
    return [*command, "{port}"], [*command, "balance"]


def php(folder: Path) -> tuple[Sequence[str], Sequence[str]]:
    needs("php")
    script = str(EXAMPLES / "receiver.php")
    return ["php", "-S", "127.0.0.1:{port}", script], ["php", script, "balance"]


def csharp(folder: Path) -> tuple[Sequence[str], Sequence[str]]:
    needs("mcs", "mono")
    program = folder / "Receiver.exe"
    subprocess.run(["mcs", f"-out:{program}", str(EXAMPLES / "Receiver.cs")], check=True)
    return ["mono", str(program), "{port}"], ["mono", str(program), "balance"]


@pytest.mark.parametrize("language", [python, php, csharp])
def test_example_conforms_and_has_the_ledger(
    language: object, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "PIECE_PAUSE_S", 0.05)
    assert callable(language)
    serve, balance = language(tmp_path)
    port, pull_port = any_free_port(set()), any_free_port(set())
    settings = {
        "AVAREZ_CITY": CITY,
        "AVAREZ_SECRETS": f"{SECRET} {NEW_SECRET}",
        "AVAREZ_BOOKS": str(tmp_path / "books"),
        "AVAREZ_ORIGIN": f"http://127.0.0.1:{pull_port}",
        "AVAREZ_USERNAME": "officer",
        "AVAREZ_PASSWORD": "any",
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **settings}
    (tmp_path / "secrets").write_text(f"{SECRET}\n{NEW_SECRET}\n", encoding="ascii")
    command = [word.format(port=port) for word in serve]
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        answers(child, port)
        asked = ["conformance", f"http://127.0.0.1:{port}/hook", "--secret", str(tmp_path / "secrets"), "--strict"]
        status = main([*asked, "--municipality", CITY, "--pull-port", str(pull_port), "--json"])
        told = json.loads(capsys.readouterr().out)
    finally:
        child.kill()
        child.wait()
    wrong = [(one["case"], one["seen"]) for one in told["cases"] if one["result"] != "passed"]
    assert (status, wrong) == (0, []), (tmp_path / "log").read_text("utf-8", "replace")[-2_000:]
    printed = subprocess.run(balance, env=environment, check=True, capture_output=True, text=True).stdout
    expected = [f"{row['account']} {row['debit_rial']} {row['credit_rial']}" for row in told["ledger"]]
    assert printed.splitlines() == expected


def answers(child: subprocess.Popen[bytes], port: int) -> None:
    """Returns once the receiver takes connections."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert child.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "it did not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)


def test_page_names_each_example_and_the_number_of_cases() -> None:
    page = (EXAMPLES.parent / "municipalities.md").read_text("utf-8")
    for path in sorted(EXAMPLES.iterdir()):
        assert f"(examples/{path.name})" in page
    assert f"{len(CASES)} kinds of good and bad messages" in page
