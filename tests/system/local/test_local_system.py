"""`make run` as a newcomer meets it: starts, refusals, endings, and what survives them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.engine import ROOT, Engine
from infra.local.process import any_free_port
from infra.local.system import DATA_VERSION
from tests.system.conftest import System

pytestmark = pytest.mark.system
READY_S = 60.0
GONE_S = 15.0
LATER_START_S = 10.0
PERSIAN = "آ", "ا"


class Run:
    """`python -m infra.local.run` over one data folder."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir
        self.port = port
        self.started = time.monotonic()
        self.said = data_dir.with_name(f"run-{time.monotonic_ns()}.txt")
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.run", "--port", str(port), "--data", str(data_dir)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> float:
        """Seconds from the start until its table was printed; the system answers then."""
        while "Ctrl-C" not in self.said.read_text("utf-8"):
            assert self.process.poll() is None, self.said.read_text("utf-8")
            assert time.monotonic() - self.started < READY_S, self.said.read_text("utf-8")
            time.sleep(0.05)
        elapsed = time.monotonic() - self.started
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=20) as answer:
            assert json.load(answer) == {"status": "ok"}
        return elapsed

    def output(self) -> str:
        """All it said, once it has ended."""
        self.process.wait(READY_S)
        return self.said.read_text("utf-8")

    def engine_pid(self) -> int:
        """The engine's process id."""
        return next(pid for pid, command in processes_of(self.data_dir).items() if "engine_main.py" in command)


def processes_of(data_dir: Path) -> dict[int, str]:
    """Every living process that names this data folder in its arguments or its environment."""
    mark = str(data_dir).encode()
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if command and (mark in command or mark in (folder / "environ").read_bytes()):
                found[int(folder.name)] = command.replace(b"\0", b" ").decode()
    return found


def all_gone(data_dir: Path) -> dict[int, str]:
    """What is left of the processes after the time they may take."""
    deadline = time.monotonic() + GONE_S
    while (left := processes_of(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.fixture
def data_dir(seeded: Path, tmp_path: Path) -> Iterator[Path]:
    """Seeded data of the test's own; whatever runs over it afterwards is killed."""
    folder = tmp_path / "data"
    shutil.copytree(seeded, folder)
    yield folder
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_ctrl_c_leaves_no_process_and_keeps_the_data(data_dir: Path) -> None:
    run = Run(data_dir, any_free_port(set()))
    run.wait_until_ready()
    assert len(processes_of(data_dir)) >= 4, "run, engine, gateway, a function"
    os.killpg(run.process.pid, signal.SIGINT)
    told = run.output()
    assert run.process.returncode == 0, told
    assert all_gone(data_dir) == {}
    assert "clerk" in told
    again = Run(data_dir, run.port)
    assert again.wait_until_ready() < LATER_START_S
    again.process.terminate()
    told = again.output()
    assert "accounts …" not in told, "nothing is loaded twice"
    assert all_gone(data_dir) == {}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_killed_terminal_leaves_no_process(data_dir: Path, number: signal.Signals) -> None:
    run = Run(data_dir, any_free_port(set()))
    run.wait_until_ready()
    run.process.send_signal(number)
    run.output()
    assert all_gone(data_dir) == {}


def test_second_start_over_the_same_data_is_refused_in_both_languages(data_dir: Path) -> None:
    run = Run(data_dir, any_free_port(set()))
    run.wait_until_ready()
    second = Run(data_dir, any_free_port({run.port}))
    told = second.output()
    assert second.process.returncode == 1
    assert "already running" in told
    assert str(run.process.pid) in told
    assert any(letter in told for letter in PERSIAN)
    assert run.process.poll() is None
    reset = subprocess.run(
        [sys.executable, "-m", "infra.local.reset", "--data", str(data_dir), "--yes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert reset.returncode == 1
    assert (data_dir / "engine").exists()
    run.process.terminate()
    run.output()


def test_port_in_use_is_named_and_another_one_proposed(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = Run(data_dir, port)
        told = run.output()
    assert run.process.returncode == 1
    assert f"Port {port}" in told
    assert f"PORT={port + 1}" in told
    assert all_gone(data_dir) == {}


def test_damaged_data_is_named_kept_and_not_overwritten(data_dir: Path) -> None:
    damaged = data_dir / "engine" / "iam.json"
    damaged.write_text('{"__ministack_format__": 2, "payl', "utf-8")
    run = Run(data_dir, any_free_port(set()))
    told = run.output()
    assert run.process.returncode == 1
    assert str(damaged) in told
    assert "make reset" in told
    assert [path.read_text("utf-8") for path in (data_dir / "damaged").iterdir()] == [damaged.read_text("utf-8")]
    assert all_gone(data_dir) == {}


def test_damaged_journal_line_in_the_middle_is_refused(data_dir: Path) -> None:
    segment = data_dir / "engine" / "segment-000900.journal"
    segment.write_bytes(b"00000000 [damaged]\n00000000 [damaged]\n")
    run = Run(data_dir, any_free_port(set()))
    told = run.output()
    assert run.process.returncode == 1
    assert segment.name in told


def test_data_of_another_version_is_refused(data_dir: Path) -> None:
    (data_dir / "version.json").write_text(json.dumps({"version": DATA_VERSION - 1}), "utf-8")
    run = Run(data_dir, any_free_port(set()))
    told = run.output()
    assert run.process.returncode == 1
    assert f"version {DATA_VERSION - 1}" in told
    assert "make reset" in told


def test_reset_deletes_ours_and_nothing_else(data_dir: Path) -> None:
    (data_dir / "mine.txt").write_text("keep", "utf-8")
    command = [sys.executable, "-m", "infra.local.reset", "--data", str(data_dir)]
    said_no = subprocess.run(command, cwd=ROOT, input="no\n", capture_output=True, text=True, check=False)
    assert said_no.returncode == 1
    assert (data_dir / "engine").exists()
    said_yes = subprocess.run(command, cwd=ROOT, input="yes\n", capture_output=True, text=True, check=False)
    assert said_yes.returncode == 0
    assert [path.name for path in data_dir.iterdir()] == ["mine.txt"]


def test_engine_killed_at_work_loses_no_acknowledged_write_and_tears_no_transaction(tmp_path: Path) -> None:
    table, items_per_transaction = "kills", 3
    first = Engine(tmp_path / "data", any_free_port(set()))
    first.start()
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    dynamodb = first.client("dynamodb")
    dynamodb.create_table(
        TableName=table,
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    first.checkpoint()
    acknowledged = 0
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        puts = [
            {"Put": {"TableName": table, "Item": {"pk": {"S": f"{acknowledged}-{part}"}}}}
            for part in range(items_per_transaction)
        ]
        dynamodb.transact_write_items(TransactItems=puts)
        acknowledged += 1
    os.kill(first.pid, signal.SIGKILL)
    first.kill()
    second = Engine(tmp_path / "data", first.port)
    second.start()
    try:
        pages = second.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        found = {item["pk"]["S"] for page in pages for item in page["Items"]}
    finally:
        second.stop()
    assert acknowledged > 50
    assert len(found) == acknowledged * items_per_transaction


def test_engine_killed_under_the_system_ends_the_run_and_the_next_one_works(data_dir: Path) -> None:
    run = Run(data_dir, any_free_port(set()))
    run.wait_until_ready()
    os.kill(run.engine_pid(), signal.SIGKILL)
    told = run.output()
    assert run.process.returncode == 3, told
    assert "engine ended by itself" in told
    assert all_gone(data_dir) == {}
    again = Run(data_dir, run.port)
    again.wait_until_ready()
    again.process.terminate()
    again.output()


def test_function_without_the_permission_is_refused(system: System) -> None:
    functions = system.aws("lambda")
    model = functions.get_function(FunctionName=system.local.function_name("verify-handler"))["Configuration"]
    code = (
        "import boto3\n"
        "def handle(event, context):\n"
        "    try:\n"
        "        item = {'pk': {'S': 'x'}, 'sk': {'S': 'x'}}\n"
        "        boto3.client('dynamodb').put_item(TableName=event['table'], Item=item)\n"
        "    except Exception as error:\n"
        "        return error.response['Error']['Code']\n"
        "    return 'written'\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", code)
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Handler="probe.handle",
        Role=model["Role"],
        Timeout=20,
        Code={"ZipFile": archive.getvalue()},
        Layers=[layer["Arn"] for layer in model["Layers"]],
    )
    try:
        event = json.dumps({"table": system.outputs["LedgerTableName"]})
        answer = functions.invoke(FunctionName="probe", Payload=event)["Payload"].read()
    finally:
        functions.delete_function(FunctionName="probe")
    assert json.loads(answer) == "AccessDeniedException"


def test_deployment_sets_what_the_engine_leaves_out(system: System) -> None:
    table = system.outputs["DutyTableName"]
    dynamodb, s3 = system.aws("dynamodb"), system.aws("s3")
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"
    for name in ("DutyTableName", "LedgerTableName", "IdentityTableName"):
        backups = dynamodb.describe_continuous_backups(TableName=system.outputs[name])
        status = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert status["PointInTimeRecoveryStatus"] == "ENABLED"
    documents = system.outputs["DocumentsBucketName"]
    lock = s3.get_object_lock_configuration(Bucket=documents)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert s3.get_bucket_cors(Bucket=documents)["CORSRules"][0]["AllowedOrigins"] == [system.origin]


def test_edge_answers_pages_refuses_large_bodies_and_foreign_hosts(system: System) -> None:
    anyone = system.client(None)
    page = anyone.get("/", {"accept": "text/html"})
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert anyone.get("/", {"if-none-match": page.headers["etag"]}).status == 304
    large = anyone.post("/v1/tokens", b"x" * 7_000_000)
    assert large.status == 413
    assert large.headers["content-type"] == "application/problem+json"
    assert anyone.get("/healthz", {"host": "evil.example"}).status == 421
    for path in (
        "/../pyproject.toml",
        "/office/../../pyproject.toml",
        "/common/%2e%2e/%2e%2e/Makefile",
        "/_ministack/health",
    ):
        assert anyone.get(path).status in (400, 404), path
    persian = anyone.get("/nothing", {"accept-language": "fa"})
    assert (persian.status, persian.json["code"]) == (404, "route_unknown")
    assert any(letter in persian.json["detail"] for letter in PERSIAN)
