"""The functions' processes: ended with the engine, without its packages, with code unpacked once per content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
import types
import zipfile
from pathlib import Path
from typing import Any

from infra.local.engine_process import EXIT_WRONG_VERSION

UNPACKED_CODE_KEPT = 40
LOG_FILE_BYTES = 16 * 1024 * 1024
DRAIN_TIMEOUT_SECONDS = 0.25
END_OF_INVOCATION = "\x1e"

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
