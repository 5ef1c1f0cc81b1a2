"""`make reset`: deletes the local data, after asking."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from infra.exclusive import exclusive
from infra.local.engine import ROOT

OURS = frozenset(
    {
        "accounts.json",
        "admin-key.json",
        "damaged",
        "deployed.json",
        "engine",
        "lock",
        "logs",
        "ports.json",
        "s3",
        "sandbox",
        "simulators",
        "sandbox-secret",
        "seed.json",
        "tmp",
        "version.json",
    }
)
"""What the local system writes; anything else in the folder is somebody's and stays."""


def main(arguments: list[str] | None = None) -> int:
    """Nothing of ours is left in the data folder; 1 when the person says no or the system runs."""
    parser = argparse.ArgumentParser(prog="infra.local.reset", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / ".data")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    data_dir: Path = options.data
    if not data_dir.exists():
        sys.stdout.write("nothing to delete · چیزی برای پاک کردن نیست\n")
        return 0
    if not options.yes:
        sys.stdout.write(
            f"Delete all local data in {data_dir}? Type yes: \n"
            f"همهٔ داده‌های محلی در {data_dir} پاک شود؟ بنویسید yes: "
        )
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() != "yes":
            sys.stdout.write("\nnothing was deleted · چیزی پاک نشد\n")
            return 1
    try:
        with exclusive(data_dir / "lock", wait=False):
            for path in data_dir.iterdir():
                if path.name not in OURS:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    except BlockingIOError:
        sys.stderr.write(
            "The system is running over this data: stop it first.\n"
            "سامانه روی این داده‌ها در حال اجراست: نخست آن را متوقف کنید.\n"
        )
        return 1
    if not any(data_dir.iterdir()):
        data_dir.rmdir()
    sys.stdout.write("deleted · پاک شد\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
