"""Child processes that cannot outlive us, and free ports that stay the same between runs."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02
KILL_GRACE_SECONDS = 2.0
LOWEST_STICKY_PORT = 20_000
HIGHEST_STICKY_PORT = 32_000
"""Below the ports that Linux (32768 up) and macOS (49152 up) give to outgoing connections."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """In the child, before it becomes the program: SIGTERM comes when our main thread ends."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A process in a group of its own; stopping it stops the whole group.

    Start it from the main thread: the kernel ties its end to the thread that started it.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self._file: IO[bytes] = open(log, "ab")  # noqa: SIM115 - closed by stop()
        self._start_of_log = self._file.tell()
        self.process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    @property
    def pid(self) -> int:
        """The process id, which is the group's id too."""
        return self.process.pid

    def running(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def output(self) -> str:
        """What the process has written since this start."""
        with open(self.log, "rb") as file:
            file.seek(self._start_of_log)
            return file.read().decode("utf-8", "replace")

    def stop(self, timeout_seconds: float = 20.0) -> int | None:
        """Neither the process nor anything of its group is left; its exit status."""
        if self.running():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout_seconds)
        self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """The whole group is killed at once, without a word."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_GRACE_SECONDS)
        if not self._file.closed:
            self._file.close()


def bare_environment(**values: str) -> dict[str, str]:
    """Only what a program needs to start, and the given values: nothing of the user's shell leaks in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "USER") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **values}


def port_is_free(port: int) -> bool:
    """Whether 127.0.0.1 could be listened to on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free_port(avoid: set[int]) -> int:
    """A free port outside the range of outgoing connections, so that none takes it between our runs."""
    start = LOWEST_STICKY_PORT + secrets.randbelow(HIGHEST_STICKY_PORT - LOWEST_STICKY_PORT)
    for offset in range(HIGHEST_STICKY_PORT - LOWEST_STICKY_PORT):
        port = start + offset
        if port >= HIGHEST_STICKY_PORT:
            port -= HIGHEST_STICKY_PORT - LOWEST_STICKY_PORT
        if port not in avoid and port_is_free(port):
            return port
    raise OSError("no free port between 20000 and 32000")


def sticky_ports(path: Path, names: Sequence[str], avoid: set[int]) -> dict[str, int]:
    """A port per name, the same as last time while it is free, and none of those to avoid; the file remembers."""
    remembered: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError, AttributeError):
        remembered = {name: int(port) for name, port in json.loads(path.read_text("utf-8")).items()}
    chosen: dict[str, int] = {}
    for name in names:
        port = remembered.get(name, 0)
        if not port or port in avoid | set(chosen.values()) or not port_is_free(port):
            port = any_free_port(avoid | set(chosen.values()))
        chosen[name] = port
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(chosen) + "\n", "utf-8")
    return chosen
