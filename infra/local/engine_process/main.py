"""Runs the local engine with durable tables, watched children and an identity of its own.

This package runs on the Python of the engine's own virtual environment (`.engine`), never on the
project's: it imports the standard library and `ministack` only. `infra/local/engine.py` starts it.

What it adds to the engine, and why:

- **A journal of the tables.** The engine keeps tables in memory and writes them at a clean stop only.
  Here each write call appends one checked line before its answer leaves, so a killed engine loses no
  acknowledged write and no transaction is torn: a transaction is one line.
- **A checkpoint of the rest** (queues, secrets, users, stacks), every two seconds if something changed.
- **Workers that cannot outlive the engine**, run without the engine's own packages (`python -S`), with
  code unpacked once per content instead of once per process, and logs read to an end mark.
- **`/_avarez/…`**, answered only to who holds the token: identity, checkpoint, archive, workers to be killed.

Private names of the engine are used; that is safe because its version is pinned and checked here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from infra.local.engine_process import ENGINE_VERSION, EXIT_CORRUPT_STATE, EXIT_PORT_TAKEN, EXIT_WRONG_VERSION
from infra.local.engine_process.archive import Archive
from infra.local.engine_process.checkpoints import Checkpoints
from infra.local.engine_process.control import Control
from infra.local.engine_process.journal import TableJournal
from infra.local.engine_process.mends import batches_as_single_actions, groups_side_by_side, secret_by_arn
from infra.local.engine_process.recording import Recorder, record_calls
from infra.local.engine_process.states import (
    CorruptState,
    load_states,
    queues_at,
    streams_from_their_start,
    table_snapshot,
)
from infra.local.engine_process.watching import watch_services
from infra.local.engine_process.workers import adapt_workers

PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """The process gets SIGTERM when its parent ends, also when the parent is killed without notice."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def listening_socket(port: int) -> socket.socket:
    """A socket bound to 127.0.0.1 and nothing else. Raises: OSError when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen(256)
    return bound


def restore(engine: Any, states: dict[str, Any], state_dir: Path, archive: Archive, journal: TableJournal) -> None:
    """The kept state back in the engine's services, packed rows beneath it, the journal on top; else it ends."""
    # Whatever goes wrong ends the process: the server would take an exception here for an application
    # without a start-up, and would serve empty tables.
    status = EXIT_CORRUPT_STATE
    try:
        for key, module in engine._state_map.items():
            state = states.pop(key, None)
            if state:
                try:
                    if key == "sqs":
                        queues_at(state, engine._get_module(module))
                    elif key == "lambda":
                        streams_from_their_start(state)
                    engine._get_module(module).load_persisted_state(state)
                except Exception as error:  # whatever a half-readable state makes the engine raise
                    raise CorruptState(state_dir / f"{key}.json", repr(error)) from error
        archive.attach()
        archive.install()
        journal.replay()
        journal.install()
        journal.open()
        status = 0
    except CorruptState as error:
        told = {"corrupt": str(error.path), "reason": error.reason}
        print(json.dumps(told), file=sys.stderr, flush=True)
    except BaseException as error:
        status = 1
        print(f"the state could not be restored: {error!r}", file=sys.stderr, flush=True)
        raise
    finally:
        if status:
            os._exit(status)


async def serve(application: Control, bound: socket.socket, checkpoints: Checkpoints) -> None:
    """Answers on the socket, and writes checkpoints, until SIGTERM."""
    config = import_module("hypercorn.config").Config()
    config.bind = [f"fd://{bound.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.shutdown_timeout = 30
    config.backlog = 256
    config.loglevel = os.environ.get("LOG_LEVEL", "WARNING")
    config.h11_max_incomplete_size = 64 * 1024

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    task = asyncio.create_task(checkpoints.run())

    async def wait_for_stop() -> None:
        await stop.wait()

    await import_module("hypercorn.asyncio").serve(application, config, shutdown_trigger=wait_for_stop)
    task.cancel()


def main() -> int:
    """Serves until SIGTERM or the parent's end; state is on disk when it returns."""
    token = os.environ.pop("AVAREZ_ENGINE_TOKEN").encode()
    parent_pid = int(os.environ.pop("AVAREZ_PARENT_PID"))
    log_dir = Path(os.environ.pop("AVAREZ_LOG_DIR"))
    recorded = os.environ.pop("AVAREZ_RECORDED_CALLS", "")
    die_with_parent(parent_pid)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent decides; Ctrl-C reaches the whole terminal
    state_dir = Path(os.environ["STATE_DIR"])
    temporary = Path(os.environ["TMPDIR"])
    state_dir.mkdir(parents=True, exist_ok=True)
    for leftover in temporary.glob("ministack-lambda-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        bound = listening_socket(int(os.environ["GATEWAY_PORT"]))
    except OSError as error:
        print(f"port taken: {error}", file=sys.stderr)
        return EXIT_PORT_TAKEN

    if version("ministack") != ENGINE_VERSION:
        print(f"engine {ENGINE_VERSION} is needed", file=sys.stderr)
        return EXIT_WRONG_VERSION

    # By name, because this environment's packages are not those that the types are checked with.
    engine: Any
    engine, persistence, lambda_runtime, dynamodb, lambda_svc = (
        import_module(f"ministack.{name}")
        for name in ("app", "core.persistence", "core.lambda_runtime", "services.dynamodb", "services.lambda_svc")
    )
    import_module("ministack.core.hypercorn_compat").install()
    adapt_workers(lambda_runtime, lambda_svc, temporary, log_dir)
    journal = TableJournal(state_dir, dynamodb, lambda: table_snapshot(dynamodb, persistence))
    checkpoints = Checkpoints(engine, persistence, state_dir, journal)
    try:
        states = load_states(engine, persistence, state_dir)
    except CorruptState as error:
        print(json.dumps({"corrupt": str(error.path), "reason": error.reason}), file=sys.stderr)
        return EXIT_CORRUPT_STATE

    archive = Archive(state_dir, dynamodb, os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"])
    engine._load_persisted_state = lambda: restore(engine, states, state_dir, archive, journal)
    engine.save_all = lambda _: checkpoints.write_all()
    watch_services(engine, dynamodb, journal, checkpoints)
    if recorded:
        sessions = import_module("ministack.services.sts")._sessions
        record_calls(engine, dynamodb, lambda_svc, Recorder(Path(recorded), sessions))
    # Policies refuse plain HTTP. On the loopback nothing can listen in, so it counts as TLS here.
    pin_origin = engine.pin_request_origin
    engine.pin_request_origin = lambda address, _: pin_origin(address, True)

    secret_by_arn(import_module("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS)
    batches_as_single_actions(import_module("ministack.core.iam_actions"))
    groups_side_by_side(lambda_svc, import_module("ministack.services.sqs"))

    try:
        asyncio.run(serve(Control(engine, lambda_runtime, token, checkpoints, archive), bound, checkpoints))
    finally:
        lambda_runtime.reset()
    return 0
