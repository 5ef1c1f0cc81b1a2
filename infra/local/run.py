"""`make run`: the whole system on 127.0.0.1, in the foreground, until Ctrl-C or the terminal's end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from demo.past.loading import PastMaker, catch_up, load
from demo.seed import SeedError, seed
from demo.visits import visit
from infra.exclusive import exclusive
from infra.local.deploy import DeployError
from infra.local.engine import ROOT, EngineError
from infra.local.system import LocalSystem, Refusal

EXIT_REFUSED = 1
EXIT_FAILED = 3
WATCH_SECONDS = 0.5


class Stopped(Exception):
    """A signal asked us to stop."""


def say(text: str) -> None:
    """One line for the person at the terminal; a vanished terminal is no error."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def refuse(english: str, persian: str) -> None:
    """The reason why nothing runs, in both languages."""
    try:
        sys.stderr.write(f"\n✗ {english}\n✗ {persian}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def demonstration(system: LocalSystem, maker: PastMaker) -> None:
    """Three years of books, accounts, tariff, rolls, and the first who pay."""
    loaded = load(system, maker, say)
    seed(system, say=say)
    if loaded:
        catch_up(system)
    visit(system, say)


def table(system: LocalSystem, started: float) -> str:
    """What a newcomer wants to know, in one screen."""
    accounts = json.loads((system.data_dir / "accounts.json").read_text("utf-8"))
    rows = [
        ("pages · صفحه‌ها", f"{system.origin}/"),
        ("owner · مالک", f"{system.origin}/my"),
        ("city · شهرداری", f"{system.origin}/city"),
        ("verify · راستی‌آزمایی", f"{system.origin}/v"),
        ("figures · آمار عمومی", f"{system.origin}/open"),
        ("API", f"{system.origin}/v1/  (docs: {system.origin}/docs, GET {system.origin}/healthz)"),
        ("sandbox gateway · درگاه آزمایشی", system.sandbox_url),
        ("data · داده‌ها", f"{system.data_dir}  (make reset)"),
        ("logs · رویدادنگاشت", f"{system.data_dir / 'logs'}"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    lines.append("")
    lines.append("  demonstration accounts · حساب‌های نمایشی")
    for account in accounts:
        where = account.get("municipality") or account.get("office") or ""
        lines.append(f"    {account['username']:<10} {account['password']:<24} {account['group']:<13} {where}")
    lines.append("")
    lines.append(f"  ready in {time.monotonic() - started:.1f} s. Ctrl-C stops everything · برای ایست: Ctrl-C")
    return "\n".join(lines)


def run(*, port: int, data_dir: Path) -> int:
    """Runs until a signal; the exit status."""
    started = time.monotonic()
    system = LocalSystem(data_dir, port=port, say=say)
    maker = PastMaker(data_dir)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if not stopping.is_set():
            stopping.set()
            raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    status = 0
    try:
        say("starting · در حال آغاز …")
        maker.start()
        system.start(seed=lambda running: demonstration(running, maker))
        say(table(system, started))
        while True:
            time.sleep(WATCH_SECONDS)
            ended = system.ended()
            if ended is not None:
                refuse(
                    f"{ended} ended by itself; see {data_dir / 'logs'}. Stopping the rest.",
                    f"بخش {ended} از کار افتاد؛ {data_dir / 'logs'} را ببینید. بقیه هم متوقف می‌شوند.",
                )
                status = EXIT_FAILED
                break
    except Stopped:
        say("\nstopping and saving · در حال ایست و ذخیره …")
    except Refusal as error:
        refuse(error.english, error.persian)
        status = EXIT_REFUSED
    except (DeployError, SeedError, EngineError) as error:
        refuse(
            f"The system could not be started: {error}. Logs: {data_dir / 'logs'}",
            f"سامانه آغاز نشد (متن خطا در بالا). رویدادنگاشت: {data_dir / 'logs'}",
        )
        status = EXIT_FAILED
    finally:
        stopping.set()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        maker.stop()
        system.stop()
    say("stopped · ایستاد" if status == 0 else "")
    return status


def main(arguments: list[str] | None = None) -> int:
    """Command line of `make run`."""
    parser = argparse.ArgumentParser(prog="infra.local.run", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    parser.add_argument("--data", type=Path, default=ROOT / ".data")
    options = parser.parse_args(arguments)
    if not 1 <= options.port <= 65_535:
        refuse("PORT is a number from 1 to 65535.", "مقدار PORT عددی از ۱ تا ۶۵۵۳۵ است.")
        return EXIT_REFUSED
    lock = options.data / "lock"
    try:
        with exclusive(lock, wait=False):
            return run(port=options.port, data_dir=options.data)
    except BlockingIOError:
        pid = lock.read_text("utf-8").strip()
        refuse(
            f"The system is already running over {options.data} (process {pid}). Stop it with Ctrl-C there.",
            f"سامانه هم‌اکنون روی {options.data} در حال اجراست (فرایند {pid}). آن را با Ctrl-C متوقف کنید.",
        )
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main())
