"""Runs the local engine with durable tables, watched children and an identity of its own.

This file runs on the Python of the engine's own virtual environment (`.engine`), never on the
project's: it imports the standard library and `ministack` only. `infra/local/engine.py` starts it.

What it adds to the engine, and why:

- **A journal of the tables.** The engine keeps tables in memory and writes them at a clean stop only.
  Here each write call appends one checked line before its answer leaves, so a killed engine loses no
  acknowledged write and no transaction is torn: a transaction is one line.
- **A checkpoint of the rest** (queues, secrets, users, stacks), every two seconds if something changed.
- **Workers that cannot outlive the engine**, run without the engine's own packages (`python -S`), with
  code unpacked once per content instead of once per process, and logs read to an end mark.
- **`/_avarez/…`**, answered only to who holds the token: identity, checkpoint, workers.

Private names of the engine are used; that is safe because its version is pinned and checked here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import zipfile
import zlib
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

ENGINE_VERSION = "1.5.33"
EXIT_CORRUPT_STATE = 66
EXIT_PORT_TAKEN = 67
EXIT_WRONG_VERSION = 68
CHECKPOINT_SECONDS = 2.0
# A checkpoint may take at most this share of the engine's time; the interval grows instead.
CHECKPOINT_TIME_SHARE = 0.05
# A journal segment is folded into the snapshot once it is larger than this and than half the snapshot.
JOURNAL_FOLD_BYTES = 32 * 1024 * 1024
UNPACKED_CODE_KEPT = 40
LOG_FILE_BYTES = 16 * 1024 * 1024
DRAIN_TIMEOUT_SECONDS = 0.25
END_OF_INVOCATION = "\x1e"
PR_SET_PDEATHSIG = 1

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

READ_ONLY_PREFIXES = ("Describe", "Get", "List", "Query", "Scan", "Batch" + "Get", "Filter", "Lookup")
READ_ONLY_ACTIONS = frozenset(
    {
        "Sign",
        "Verify",
        "Encrypt",
        "Decrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "VerifyMac",
        "GenerateRandom",
        "TransactGetItems",
        "AssumeRole",
    }
)
# Written by item through the journal; every other write to the tables' service is a change of its settings.
ITEM_WRITES = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "ExecuteStatement",
        "BatchExecuteStatement",
    }
)
# Rebuilt or worthless after a restart, and large.
NOT_CHECKPOINTED = frozenset({"dynamodb", "cloudwatch_logs", "cloudwatch", "cloudtrail", "sts"})


class CorruptState(Exception):
    """A state file cannot be read; carries its path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


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


def write_atomically(path: Path, content: bytes) -> None:
    """The file holds the new content or the old, whole, whatever happens in between."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class TableJournal:
    """Every acknowledged write to the tables, one line per call, on disk before the answer.

    `segment-NNNNNN.journal` lines are `crc32(hex) json`, the JSON being a list of
    `[account, region, table, partition key, sort key, item or null]` with whole items: replaying a line
    twice, or over a snapshot that holds it already, changes nothing. Lines go to the operating system's
    cache, so a killed process loses none; they are synced to disk every checkpoint, so a power cut loses
    at most that.
    """

    def __init__(self, state_dir: Path, dynamodb: Any, snapshot: Callable[[], bytes]) -> None:
        self._dir = state_dir
        self._dynamodb = dynamodb
        self._snapshot = snapshot
        self._names: dict[str, tuple[str, str, str]] = {}
        self._entries: list[list[Any]] = []
        self._fd = -1
        self._size = 0
        self._number = 0
        self._unsynced = False
        self._lock = threading.Lock()
        self._main_thread = threading.get_ident()
        self._folding = 0
        self.settings_changed = False

    def segments(self) -> list[Path]:
        """The segments, oldest first."""
        return sorted(self._dir.glob("segment-*.journal"))

    def install(self) -> None:
        """From here on item changes are noted; call once, before the engine serves."""
        set_item, remove_item = self._dynamodb._set_item, self._dynamodb._remove_item

        def journalled_set(table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
            old = set_item(table, pk, sk, item)
            self._note(table, pk, sk, item)
            return old

        def journalled_remove(table: dict[str, Any], pk: str, sk: str) -> Any:
            old = remove_item(table, pk, sk)
            if old is not None:
                self._note(table, pk, sk, None)
            return old

        self._dynamodb._set_item = journalled_set
        self._dynamodb._remove_item = journalled_remove

    def _note(self, table: dict[str, Any], pk: str, sk: str, item: dict[str, Any] | None) -> None:
        arn = table["TableArn"]
        name = self._names.get(arn)
        if name is None:
            parts = arn.split(":")
            name = self._names[arn] = (parts[4], parts[3], parts[5].removeprefix("table/"))
        entry = [*name, pk, sk, item]
        if threading.get_ident() == self._main_thread:
            self._entries.append(entry)
        else:  # the engine's time-to-live thread: an entry of its own
            self._append([entry])

    def flush(self) -> None:
        """What was noted since the last call is one line on disk. Call after each write call."""
        if self._entries:
            entries, self._entries = self._entries, []
            self._append(entries)

    def _append(self, entries: list[list[Any]]) -> None:
        body = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        with self._lock:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(f"journal: {written} of {len(line)} bytes written")
            self._size += len(line)
            self._unsynced = True

    def replay(self) -> int:
        """The tables hold every journalled write; answers how many lines were applied.

        Raises: CorruptState when a line that is not the last of its segment is damaged.
        """
        applied = 0
        for path in self.segments():
            lines = path.read_bytes().split(b"\n")
            for index, line in enumerate(lines):
                if not line:
                    continue
                body = line[9:]
                if len(line) < 10 or line[:8] != b"%08x" % zlib.crc32(body):
                    if index >= len(lines) - 1:
                        break  # the line that was being written when the process died
                    raise CorruptState(path, f"line {index + 1} is damaged")
                for account, region, name, pk, sk, item in json.loads(body):
                    table = self._dynamodb._tables.get_scoped(account, region, name)
                    if table is None:
                        continue
                    if item is None:
                        self._dynamodb._remove_item(table, pk, sk)
                    else:
                        self._dynamodb._set_item(table, pk, sk, item)
                applied += 1
        return applied

    def open(self) -> None:
        """A fresh segment takes the writes from here on."""
        self._main_thread = threading.get_ident()
        existing = self.segments()
        self._number = int(existing[-1].stem.split("-")[1]) + 1 if existing else 1
        self._start_segment()

    def _start_segment(self) -> None:
        path = self._dir / f"segment-{self._number:06d}.journal"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with self._lock:
            old, self._fd, self._size = self._fd, fd, 0
        if old >= 0:
            os.fsync(old)
            os.close(old)

    def sync(self) -> None:
        """What was appended so far survives a power cut. Safe from any thread."""
        if self._unsynced and self._fd >= 0:
            self._unsynced = False
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd) if sys.platform == "linux" else os.fsync(self._fd)

    def fold(self) -> None:
        """The snapshot holds everything and the journal is empty. On the loop's thread, calls waiting."""
        old = self.segments()
        self._number += 1
        self._start_segment()
        write_atomically(self._dir / "dynamodb.json", self._snapshot())
        for path in old:
            path.unlink(missing_ok=True)
        self.settings_changed = False

    def fold_in_background(self) -> None:
        """As `fold`, by a forked copy of this process, so that calls wait for the fork only."""
        if self._folding:
            with contextlib.suppress(ChildProcessError):
                pid, _ = os.waitpid(self._folding, os.WNOHANG)
                if pid == 0:
                    return
            self._folding = 0
        snapshot = self._dir / "dynamodb.json"
        limit = max(JOURNAL_FOLD_BYTES, snapshot.stat().st_size // 2 if snapshot.exists() else 0)
        if not self.settings_changed and self._size < limit:
            return
        old = self.segments()
        self._number += 1
        self._start_segment()
        self.settings_changed = False
        pid = os.fork()
        if pid == 0:
            try:
                write_atomically(snapshot, self._snapshot())
                for path in old:
                    path.unlink(missing_ok=True)
            finally:
                os._exit(0)
        self._folding = pid

    def wait(self) -> None:
        """No background fold is going on any more."""
        if self._folding:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._folding, 0)
            self._folding = 0


class Checkpoints:
    """The state of the other services on disk, at most one interval old."""

    def __init__(self, engine: Any, persistence: Any, state_dir: Path, journal: TableJournal) -> None:
        self._engine = engine
        self._persistence = persistence
        self._dir = state_dir
        self._journal = journal
        self._dirty: set[str] = set()
        self._hashes: dict[str, bytes] = {}
        self._keys = {module: key for key, module in engine._state_map.items()}

    def mark(self, module: str) -> None:
        """The service has changed and is written at the next checkpoint."""
        key = self._keys.get(module)
        if key is not None and key not in NOT_CHECKPOINTED:
            self._dirty.add(key)

    def _encode(self, key: str, get_state: Callable[[], Any]) -> bytes | None:
        state = get_state()
        if state is None:
            return None
        if key == "cloudwatch_logs":
            for group in state["log_groups"]._data.values():
                for stream in group.get("streams", {}).values():
                    stream["events"] = []
        version = self._persistence._state_format_version(key)
        return json.dumps(
            {"__ministack_format__": version, "payload": state}, default=self._persistence._json_default
        ).encode()

    def _collect(self, keys: set[str] | None) -> list[tuple[str, bytes]]:
        changed = []
        for key, get_state in self._engine._build_persistence_save_dict().items():
            if key == "dynamodb" or (keys is not None and key not in keys):
                continue
            try:
                content = self._encode(key, get_state)
            except RuntimeError:  # another thread changed a dictionary under the copy: next time
                self._dirty.add(key)
                continue
            if content is None:
                continue
            digest = hashlib.blake2b(content).digest()
            if self._hashes.get(key) != digest:
                self._hashes[key] = digest
                changed.append((key, content))
        return changed

    def collect_dirty(self) -> list[tuple[str, bytes]]:
        """Contents of the services that changed since the last call. On the loop's thread."""
        dirty, self._dirty = self._dirty, set()
        return self._collect(dirty) if dirty else []

    def write(self, contents: list[tuple[str, bytes]]) -> None:
        """Each service's file is replaced. The stacks' file comes last: it says that the rest is there."""
        for key, content in sorted(contents, key=lambda pair: pair[0] == "cloudformation"):
            write_atomically(self._dir / f"{key}.json", content)

    def write_all(self) -> None:
        """Everything is on disk."""
        contents = self._collect(None)
        self._journal.wait()
        if self._journal.settings_changed:
            self._journal.fold()
        self._journal.sync()
        self.write(contents)

    async def run(self) -> None:
        """Checkpoints for as long as the engine lives."""
        interval = CHECKPOINT_SECONDS
        while True:
            await asyncio.sleep(interval)
            started = time.monotonic()
            contents = self.collect_dirty()
            self._journal.fold_in_background()
            spent = time.monotonic() - started
            try:
                await asyncio.to_thread(self._journal.sync)
                await asyncio.to_thread(self.write, contents)
            except OSError as error:
                print(f"checkpoint failed: {error}", file=sys.stderr, flush=True)
            interval = max(CHECKPOINT_SECONDS, spent / CHECKPOINT_TIME_SHARE)


def load_states(engine: Any, persistence: Any, state_dir: Path) -> dict[str, Any]:
    """Every saved state, parsed.

    Raises: CorruptState naming the file that cannot be read.
    """
    states: dict[str, Any] = {}
    for key in engine._state_map:
        path = state_dir / f"{key}.json"
        if not path.exists():
            continue
        try:
            text = path.read_text("utf-8")
            if key == "dynamodb":  # items hold none of the encoder's marks: a hook per item is all cost
                wrapped = json.loads(text)
                payload = wrapped["payload"]
                states[key] = {name: persistence._json_object_hook(part) for name, part in payload.items()}
            else:
                wrapped = json.loads(text, object_hook=persistence._json_object_hook)
                states[key] = wrapped["payload"]
            if wrapped["__ministack_format__"] > persistence._state_format_version(key):
                raise CorruptState(path, "written by a newer engine")
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise CorruptState(path, str(error)) from error
    return states


def queues_at(state: dict[str, Any], sqs: Any) -> None:
    """The saved queues carry this engine's address; an engine on another port would not find them again."""
    queues = state["queues"]._data
    for (account, region, _), queue in list(queues.items()):
        url = sqs._queue_url_for_account(account, queue["name"])
        if url != queue["url"]:
            del queues[account, region, queue["url"]]
            queues[account, region, url] = {**queue, "url": url}


def streams_from_their_start(state: dict[str, Any]) -> None:
    """Stream records live in memory: a saved place in them lies beyond the end of the streams that begin now."""
    state["dynamodb_stream_positions"] = {}


def table_snapshot(dynamodb: Any, persistence: Any) -> bytes:
    """The tables' state as the engine's own file format has it, without its copying."""
    tables = type(dynamodb._tables)()
    for scoped_key, table in dynamodb._tables._data.items():
        tables._data[scoped_key] = {k: v for k, v in table.items() if k != dynamodb._INDEX_MEMBERS}
    state: dict[str, Any] = {"tables": tables}
    for name in (
        "tags",
        "ttl_settings",
        "pitr_settings",
        "kinesis_destinations",
        "contributor_insights",
        "backups",
        "resource_policies",
        "exports",
        "imports",
    ):
        state[name] = getattr(dynamodb, f"_{name}")
    version = persistence._state_format_version("dynamodb")
    return json.dumps(
        {"__ministack_format__": version, "payload": state}, default=persistence._json_default
    ).encode()


def action_of(method: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> str:
    """The call's action name, or for REST calls its method."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    action = query.get("Action")
    if action:
        return action[0]
    if body[:64].startswith(b"Action=") or b"&Action=" in body[:4096]:
        for part in body.split(b"&"):
            if part.startswith(b"Action="):
                return part[7:].decode("ascii", "replace")
    return method


def reads_only(action: str) -> bool:
    """Whether a call of this name leaves the service's saved state as it was."""
    return (
        action in ("GET", "HEAD", "OPTIONS")
        or action.startswith(READ_ONLY_PREFIXES)
        or action in READ_ONLY_ACTIONS
    )


def watch_services(engine: Any, dynamodb: Any, journal: TableJournal, checkpoints: Checkpoints) -> None:
    """Every call that changes state is journalled or marked for the next checkpoint."""
    original = dynamodb.handle_request

    async def journalled(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        try:
            return await original(method, path, headers, body, query_params)
        finally:
            if not reads_only(action) and action not in ITEM_WRITES:
                journal.settings_changed = True
            journal.flush()

    dynamodb.handle_request = journalled

    def marking(service: str, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        module = engine.SERVICE_REGISTRY[service]["module"]

        async def handle(
            method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
        ) -> Any:
            try:
                return await handler(method, path, headers, body, query_params)
            finally:
                action = action_of(method, headers, body, query_params)
                invoking = module == "lambda_svc" and path.endswith("/invocations")
                object_call = module == "s3" and path.count("/") > 1 and not path.endswith("/")
                if not reads_only(action) and not invoking and not object_call:
                    checkpoints.mark(module)

        return handle

    for service, handler in list(engine.SERVICE_HANDLERS.items()):
        if service != "dynamodb":
            engine.SERVICE_HANDLERS[service] = marking(service, handler)


WORKER_PRELUDE = """
import os as _avarez_os, threading as _avarez_threading, time as _avarez_time
def _avarez_watch(parent=_avarez_os.getppid()):
    while _avarez_os.getppid() == parent:
        _avarez_time.sleep(1.0)
    _avarez_os._exit(0)
_avarez_threading.Thread(target=_avarez_watch, daemon=True).start()
def _avarez_end():
    import sys
    sys.stderr.write("\\x1e\\n")
    sys.stderr.flush()
"""


def replaced(text: str, old: str, new: str) -> str:
    """The text with its one occurrence replaced; anything else is an engine we do not know."""
    if text.count(old) != 1:
        raise SystemExit(EXIT_WRONG_VERSION)
    return text.replace(old, new)


def unpacked_code(temporary: Path) -> type[zipfile.ZipFile]:
    """A ZipFile whose `extractall` links to one unpacked copy per content, shared by all workers."""
    store = temporary / "code"
    store.mkdir(parents=True, exist_ok=True)
    kept = sorted(store.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[UNPACKED_CODE_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)

    class SharedZipFile(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            if path is None or members is not None:
                super().extractall(path, members, pwd)
                return
            digest = hashlib.sha256()
            for info in self.infolist():
                digest.update(f"{info.filename}\0{info.CRC}\0{info.file_size}\0".encode())
            shared = store / digest.hexdigest()
            if not shared.exists():
                partial = store / f".{shared.name}.{os.getpid()}.{threading.get_ident()}"
                super().extractall(partial)
                try:
                    os.rename(partial, shared)
                except OSError:  # another worker was first
                    shutil.rmtree(partial, ignore_errors=True)
            os.rmdir(path)
            os.symlink(shared, path)

    return SharedZipFile


def adapt_workers(lambda_runtime: Any, lambda_svc: Any, temporary: Path, log_dir: Path) -> None:
    """Workers end with the engine, see only their own packages, and log to a file as well."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    for status in ('{"status": "ok", "result": result}', '{"status": "error", "error": str(e), "trace"'):
        call = f"_real_stdout.write(json.dumps({status}"
        script = replaced(script, call, f"_avarez_end(); {call}")
    lambda_runtime._PYTHON_WORKER_SCRIPT = WORKER_PRELUDE + script

    def start_worker(command: list[str], **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen([command[0], "-S", *command[1:]], **options)

    lambda_runtime.subprocess = types.SimpleNamespace(
        Popen=start_worker, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired
    )
    lambda_runtime.zipfile = types.SimpleNamespace(
        ZipFile=unpacked_code(temporary),
        BadZipFile=zipfile.BadZipFile,
        LargeFileError=zipfile.LargeZipFile,
        LargeZipFile=zipfile.LargeZipFile,
    )

    def drain_to_mark(self: Any, *_: Any, **__: Any) -> str:
        lines = []
        deadline = time.monotonic() + DRAIN_TIMEOUT_SECONDS
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                line = self._stderr_queue.get(timeout=remaining)
            except lambda_runtime.queue.Empty:
                break
            if line == END_OF_INVOCATION:
                break
            lines.append(line)
        return "\n".join(lines)

    lambda_runtime.Worker._drain_stderr_bounded = drain_to_mark
    drain_now = lambda_runtime.Worker._drain_stderr

    def drain_without_marks(self: Any) -> str:
        return "\n".join(line for line in drain_now(self).split("\n") if line != END_OF_INVOCATION)

    lambda_runtime.Worker._drain_stderr = drain_without_marks

    log_dir.mkdir(parents=True, exist_ok=True)
    log_path = log_dir / "functions.log"
    lock = threading.Lock()
    emit = lambda_svc._emit_lambda_logs

    def emit_to_file(
        func: dict[str, Any], request_id: str, log_text: str, is_error: bool, duration_ms: int, **options: Any
    ) -> Any:
        name = (func.get("config") or func).get("FunctionName", "unknown")
        if log_text or is_error:
            record = {
                "at": time.time(),
                "function": name,
                "request_id": request_id,
                "error": is_error,
                "duration_ms": duration_ms,
                "log": log_text,
            }
            line = json.dumps(record, ensure_ascii=False) + "\n"
            with lock, contextlib.suppress(OSError):
                if log_path.exists() and log_path.stat().st_size > LOG_FILE_BYTES:
                    os.replace(log_path, log_path.with_suffix(".log.1"))
                with open(log_path, "a", encoding="utf-8") as file:
                    file.write(line)
        return emit(func, request_id, log_text, is_error, duration_ms, **options)

    lambda_svc._emit_lambda_logs = emit_to_file


def secret_by_arn(handlers: dict[str, dict[str, Any]]) -> None:
    """A secret's `Ref` is its ARN, as on AWS; the engine gives the name, which no policy can name.

    Source: AWS CloudFormation user guide, AWS::SecretsManager::Secret, return values.
    """
    handler = handlers["AWS::SecretsManager::Secret"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name_in(identifier: str) -> str:
        return identifier.partition(":secret:")[2][:-7] if identifier.startswith("arn:") else identifier

    def create_by_arn(*arguments: Any, **options: Any) -> Any:
        _, attributes = create(*arguments, **options)
        return attributes["Arn"], attributes

    def update_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        _, attributes = update(name_in(identifier), *arguments, **options)
        return attributes["Arn"], attributes

    def delete_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        return delete(name_in(identifier), *arguments, **options)

    handler.update(create=create_by_arn, update=update_by_arn, delete=delete_by_arn)


def batches_as_single_actions(iam_actions: Any) -> None:
    """A batch call to a queue needs the right to the single call; the engine wants an action that IAM lacks.

    Source: Service authorization reference, actions of Amazon SQS: there is no SendMessageBatch.
    """
    extract = iam_actions.extract_iam_action

    def extract_single(*arguments: Any, **options: Any) -> Any:
        action = extract(*arguments, **options)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single


class Control:
    """The ASGI application: `/_avarez/…` for who holds the token, the engine for everyone."""

    def __init__(self, engine: Any, lambda_runtime: Any, token: bytes, checkpoints: Checkpoints) -> None:
        self._engine = engine
        self._lambda_runtime = lambda_runtime
        self._token = token
        self._checkpoints = checkpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, by ASGI."""
        if scope["type"] == "http" and scope["path"].startswith("/_avarez/"):
            await self._answer(scope, send)
        elif scope["type"] == "http" and scope["path"].startswith("/_ministack/reset"):
            await self._send(send, 404, {"error": "not here"})  # would delete the data without asking
        else:
            await self._engine.app(scope, receive, send)

    async def _send(self, send: Send, status: int, body: dict[str, Any]) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    async def _answer(self, scope: Scope, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        path = scope["path"].removeprefix("/_avarez/")
        if path == "identity":
            nonce = headers.get("x-avarez-nonce", b"")
            proof = hmac.new(self._token, nonce, "sha256").hexdigest()
            await self._send(send, 200, {"proof": proof, "pid": os.getpid()})
            return
        if not hmac.compare_digest(headers.get("x-avarez-token", b""), self._token):
            await self._send(send, 403, {"error": "forbidden"})
            return
        if path == "checkpoint":
            self._checkpoints.write_all()
            await self._send(send, 200, {"saved": True})
        elif path == "workers":
            await self._send(send, 200, {"workers": self._workers()})
        elif path.startswith("kill/"):
            name = path.removeprefix("kill/")
            killed = [pid for function, pid in self._workers() if function == name]
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for _ in range(200):
                if not {pid for _, pid in self._workers()} & set(killed):
                    break
                await asyncio.sleep(0.005)
            await self._send(send, 200, {"killed": killed})
        else:
            await self._send(send, 404, {"error": "unknown"})

    def _workers(self) -> list[tuple[str, int]]:
        with self._lambda_runtime._lock:
            return [
                (worker.func_name, worker._proc.pid)
                for workers in self._lambda_runtime._workers.values()
                for worker in workers
                if worker._proc is not None and worker._proc.poll() is None
            ]


def listening_socket(port: int) -> socket.socket:
    """A socket bound to 127.0.0.1 and nothing else. Raises: OSError when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen(256)
    return bound


def main() -> int:
    """Serves until SIGTERM or the parent's end; state is on disk when it returns."""
    token = os.environ.pop("AVAREZ_ENGINE_TOKEN").encode()
    parent_pid = int(os.environ.pop("AVAREZ_PARENT_PID"))
    log_dir = Path(os.environ.pop("AVAREZ_LOG_DIR"))
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
    serve = import_module("hypercorn.asyncio").serve
    import_module("ministack.core.hypercorn_compat").install()
    adapt_workers(lambda_runtime, lambda_svc, temporary, log_dir)
    journal = TableJournal(state_dir, dynamodb, lambda: table_snapshot(dynamodb, persistence))
    checkpoints = Checkpoints(engine, persistence, state_dir, journal)
    try:
        states = load_states(engine, persistence, state_dir)
    except CorruptState as error:
        print(json.dumps({"corrupt": str(error.path), "reason": error.reason}), file=sys.stderr)
        return EXIT_CORRUPT_STATE

    def restore() -> None:
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

    engine._load_persisted_state = restore
    engine.save_all = lambda _: checkpoints.write_all()
    watch_services(engine, dynamodb, journal, checkpoints)
    # Policies refuse plain HTTP. On the loopback nothing can listen in, so it counts as TLS here.
    pin_origin = engine.pin_request_origin
    engine.pin_request_origin = lambda address, _: pin_origin(address, True)

    secret_by_arn(import_module("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS)
    batches_as_single_actions(import_module("ministack.core.iam_actions"))

    config = import_module("hypercorn.config").Config()
    config.bind = [f"fd://{bound.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.shutdown_timeout = 30
    config.backlog = 256
    config.loglevel = os.environ.get("LOG_LEVEL", "WARNING")
    config.h11_max_incomplete_size = 64 * 1024

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        task = asyncio.create_task(checkpoints.run())

        async def wait_for_stop() -> None:
            await stop.wait()

        application = Control(engine, lambda_runtime, token, checkpoints)
        await serve(application, config, shutdown_trigger=wait_for_stop)
        task.cancel()

    try:
        asyncio.run(run())
    finally:
        lambda_runtime.reset()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # the engine leaves threads that would hold the process
