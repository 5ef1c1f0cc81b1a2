"""The local system as one object: started, restarted and stopped by `make run` and by the system tests."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.exclusive import exclusive
from infra.local.deploy import Deployed, deploy, write_gateways
from infra.local.engine import ENGINE_PYTHON, ROOT, CorruptState, Engine, PortTaken
from infra.local.gateways.simulators.credentials import credentials
from infra.local.process import Child, bare_environment, port_is_free, sticky_ports

DATA_VERSION = 1
"""Of the data folder's layout and contents; another number is refused with a sentence."""
ASSEMBLY = ROOT / ".build" / "cdk.out.local"
HEALTH_TIMEOUT_SECONDS = 60.0
SYNTH_TIMEOUT_SECONDS = 300.0
FUNCTION_SECONDS_MAX = 900
"""Source: AWS Lambda quotas."""
MERCHANT = "avarez-demo"


class Refusal(Exception):
    """The system cannot start or go on, for a reason that a person can act on, in both languages."""

    def __init__(self, english: str, persian: str) -> None:
        super().__init__(english)
        self.english = english
        self.persian = persian


def synthesise(assembly: Path = ASSEMBLY) -> None:
    """The assembly for this machine is up to date; costs a fraction of a second when nothing changed.

    Raises: Refusal with the end of the synthesiser's output.
    """
    with exclusive(assembly.parent / "synth.lock", wait=True):
        done = subprocess.run(
            [sys.executable, "-m", "infra.synth", "--target", "local", "--out", str(assembly)],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"},
            capture_output=True,
            text=True,
            timeout=SYNTH_TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip()[-1500:]
        raise Refusal(f"The stack could not be synthesised:\n{told}", "قالب سامانه ساخته نشد (متن خطا در بالا).")


class LocalSystem:
    """Engine, stack, sandbox gateway and edge over one data folder.

    `functions_endpoint` gives the address at which the functions reach the engine, from the engine's own: tests
    put a proxy of faults between the two. Into `recorded_calls` the engine writes every call and invocation.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int,
        assembly: Path = ASSEMBLY,
        say: Callable[[str], None] = lambda _: None,
        functions_endpoint: Callable[[str], str] | None = None,
        recorded_calls: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self._functions_endpoint = functions_endpoint
        self._recorded_calls = recorded_calls
        self.origin = f"http://127.0.0.1:{port}"
        self.assembly = assembly
        self._say = say
        self._engine: Engine | None = None
        self._sandbox: Child | None = None
        self._simulators: Child | None = None
        self.simulators_url = ""
        self._edge: Child | None = None
        self._synthesis: subprocess.Popen[str] | None = None
        self.deployed: Deployed | None = None
        self.sandbox_url = ""

    @property
    def engine(self) -> Engine:
        """The running engine."""
        if self._engine is None:
            raise RuntimeError("the system is not started")
        return self._engine

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        if self.deployed is None:
            raise RuntimeError("the system is not deployed")
        return dict(self.deployed.outputs)

    def check(self) -> None:
        """What must be true before anything starts. Raises: Refusal."""
        if not ENGINE_PYTHON.exists():
            raise Refusal(
                "The engine's environment is missing: run `make run`, which sets it up.",
                "محیط موتور محلی نصب نیست: فرمان `make run` آن را می‌سازد.",
            )
        if shutil.which("node") is None and not (Path(sys.executable).parent / "node").exists():
            raise Refusal(
                "Node.js is missing: the stack's synthesis needs it (`make run` sets it up).",
                "برنامهٔ Node.js نصب نیست و ساخت قالب به آن نیاز دارد (`make run` آن را نصب می‌کند).",
            )
        if not port_is_free(self.port):
            raise Refusal(
                f"Port {self.port} on 127.0.0.1 is in use by another program. "
                f"Stop it, or choose another: make run PORT={self.port + 1}",
                f"درگاه {self.port} را برنامهٔ دیگری گرفته است. آن را ببندید یا درگاه دیگری برگزینید: "
                f"make run PORT={self.port + 1}",
            )
        self._check_data_version()

    def _check_data_version(self) -> None:
        path = self.data_dir / "version.json"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if not (self.data_dir / "engine").exists():
                path.write_text(json.dumps({"version": DATA_VERSION}) + "\n", "utf-8")
                return
        try:
            found = int(json.loads(path.read_text("utf-8"))["version"])
        except (OSError, ValueError, KeyError, TypeError):
            found = 0
        if found != DATA_VERSION:
            raise Refusal(
                f"The data in {self.data_dir} is of version {found}; this program needs {DATA_VERSION}. "
                "Keep a copy if you need it, then run: make reset",
                f"نسخهٔ داده‌های {self.data_dir} برابر {found} است و این برنامه نسخهٔ {DATA_VERSION} می‌خواهد. "
                "اگر لازم دارید رونوشتی نگه دارید و سپس فرمان make reset را اجرا کنید.",
            )

    def start(self, *, seed: Callable[[LocalSystem], None] | None = None) -> None:
        """The system answers on its origin.

        Raises: Refusal, DeployError. What was started is stopped again.
        """
        try:
            self._start(seed)
        except BaseException:
            self.kill()
            raise

    def _start(self, seed: Callable[[LocalSystem], None] | None) -> None:
        self.check()
        ports = sticky_ports(self.data_dir / "ports.json", ["engine", "sandbox", "simulators"], avoid={self.port})
        self._start_engine(ports["engine"])
        self._start_sandbox(ports["sandbox"])
        self._start_simulators(ports["simulators"])
        synthesise(self.assembly)
        self._say("deploying the stack … · استقرار سامانه …")
        self.deployed = deploy(
            self.engine,
            self.assembly,
            {
                "PublicOrigin": self.origin,
                "WebhookLoopback": "allowed",
                "MessagesTo": f"file:{(self.data_dir / 'messages.jsonl').resolve()}",
            },
        )
        write_gateways(self.engine, self.outputs["GatewaysSecretArn"], self._gateways())
        self._start_edge()
        self._wait_until_healthy()
        if seed is not None:
            seed(self)

    def _start_engine(self, port: int) -> None:
        environment = {}
        if self._functions_endpoint is not None:
            environment["AWS_ENDPOINT_URL"] = self._functions_endpoint(f"http://127.0.0.1:{port}")
        if self._recorded_calls is not None:
            environment["AVAREZ_RECORDED_CALLS"] = str(self._recorded_calls)
        self._engine = Engine(self.data_dir, port, environment=environment)
        try:
            self._engine.start()
        except PortTaken as error:
            raise Refusal(
                f"Port {port} on 127.0.0.1 was just taken by another program. Start again.",
                f"درگاه {port} را همین حالا برنامهٔ دیگری گرفت. دوباره اجرا کنید.",
            ) from error
        except CorruptState as error:
            kept = self._keep_copy(error.path)
            raise Refusal(
                f"The data file {error.path} cannot be read ({error.reason}). It was left as it is, and a copy is "
                f"in {kept}. To start afresh: make reset",
                f"پروندهٔ دادهٔ {error.path} خوانا نیست. دست نخورد و رونوشتی از آن در {kept} است. "
                "برای آغاز از نو: make reset",
            ) from error

    def _keep_copy(self, path: Path) -> Path:
        folder = self.data_dir / "damaged"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{time.strftime('%Y%m%dT%H%M%S')}-{path.name}"
        shutil.copy2(path, kept)
        return kept

    def _start_sandbox(self, port: int) -> None:
        self.sandbox_url = f"http://127.0.0.1:{port}"
        self._sandbox = Child(
            [
                sys.executable,
                "-m",
                "infra.local.gateways.sandbox",
                "--port",
                str(port),
                "--data",
                str(self.data_dir / "sandbox"),
            ],
            env=bare_environment(SANDBOX_SECRET=self._sandbox_secret(), SANDBOX_MERCHANT=MERCHANT),
            cwd=ROOT,
            log=self.data_dir / "logs" / "sandbox.log",
        )

    def _start_simulators(self, port: int) -> None:
        """The five public protocols, each as its own documents tell it; no money moves."""
        self.simulators_url = f"http://127.0.0.1:{port}"
        module = "infra.local.gateways.simulators"
        self._simulators = Child(
            [sys.executable, "-m", module, "--port", str(port), "--data", str(self.data_dir / "simulators")],
            env=bare_environment(),
            cwd=ROOT,
            log=self.data_dir / "logs" / "simulators.log",
        )

    def _sandbox_secret(self) -> str:
        path = self.data_dir / "sandbox-secret"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
        return path.read_text("ascii").strip()

    def _gateways(self) -> dict[str, dict[str, str]]:
        return {
            "sandbox": {
                "base_url": self.sandbox_url,
                "merchant": MERCHANT,
                "secret": self._sandbox_secret(),
            },
            **credentials(self.simulators_url, self.origin),
        }

    def _start_edge(self) -> None:
        command = [sys.executable, "-m", "infra.local.edge", "--port", str(self.port)]
        command += ["--engine", self.engine.url, "--api", self.outputs["ApiId"]]
        log = self.data_dir / "logs" / "edge.log"
        self._edge = Child(command, env=bare_environment(), cwd=ROOT, log=log)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTH_TIMEOUT_SECONDS
        last = ""
        while time.monotonic() < deadline:
            ended = self.ended()
            if ended is not None:
                raise Refusal(
                    f"{ended} ended while the system was starting; see {self.data_dir / 'logs'}.",
                    f"بخش {ended} هنگام آغاز از کار افتاد؛ {self.data_dir / 'logs'} را ببینید.",
                )
            try:
                with urllib.request.urlopen(f"{self.origin}/healthz", timeout=30) as answer:  # noqa: S310 - our own origin
                    if json.load(answer).get("status") == "ok":
                        return
            except urllib.error.HTTPError as error:
                last = f"{error.code} {error.read()[:300]!r}"
            except (OSError, ValueError) as error:
                last = str(error)
            time.sleep(0.05)
        raise Refusal(
            f"The system did not become healthy within {HEALTH_TIMEOUT_SECONDS:.0f} s: {last}",
            f"سامانه تا {HEALTH_TIMEOUT_SECONDS:.0f} ثانیه آماده نشد: {last}",
        )

    def ended(self) -> str | None:
        """The name of a part that has ended by itself, if one has."""
        if self._engine is not None and not self._engine.running():
            return "engine"
        for name, child in (("sandbox", self._sandbox), ("simulators", self._simulators), ("edge", self._edge)):
            if child is not None and not child.running():
                return name
        return None

    def stop(self) -> None:
        """Everything is stopped; data is saved."""
        for child in (self._edge, self._sandbox, self._simulators):
            if child is not None:
                child.stop(timeout_seconds=5.0)
        if self._engine is not None:
            self._engine.stop()
        self._edge = self._sandbox = self._simulators = self._engine = None

    def kill(self) -> None:
        """Everything is killed where it stands."""
        for child in (self._edge, self._sandbox, self._simulators, self._engine):
            if child is not None:
                child.kill()
        self._edge = self._sandbox = self._simulators = self._engine = None

    def restart(self) -> None:
        """Stopped and started again over the same data, on the same ports."""
        self.stop()
        self.start()

    def admin(self, service: str) -> Any:
        """A boto3 client with the owner's rights."""
        return self.engine.client(service)

    def run_function(self, part: str) -> Any:
        """What the one function of this name answers to one run, as its schedule would have it.

        Raises: RuntimeError with what it says, where it fails.
        """
        functions = self.engine.client("lambda", patience_s=FUNCTION_SECONDS_MAX)
        answer = functions.invoke(FunctionName=self.function_name(part), Payload=b"{}")
        told = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(f"{part}: {told[:500]!r}")
        return json.loads(told)

    def function_name(self, part: str) -> str:
        """The one deployed function whose name ends with this text, else contains it, in any case.

        Raises: LookupError when none or several do.
        """
        names: list[str] = []
        for page in self.admin("lambda").get_paginator("list_functions").paginate():
            names += [one["FunctionName"] for one in page["Functions"]]
        found = [name for name in names if name.lower().endswith(part.lower())]
        found = found or [name for name in names if part.lower() in name.lower()]
        if len(found) != 1:
            raise LookupError(f"{part}: {found or names}")
        return found[0]


def content_key(paths: list[Path]) -> str:
    """A short name for the contents of these files and folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        for file in files:
            if "__pycache__" in file.parts:
                continue
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:20]
