"""Loads the past into a running local system, once: packed rows as files of the engine, the few others as writes.

It comes before anything else happens in a city, since whatever happens later stands behind it in the chain. A city
that has a chain already keeps it as it is.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from avarez import keys
from avarez.clock import tehran_today
from avarez.dynamo import Table, transact
from demo.seed import Marks, SeedError
from infra.local.engine import ROOT
from infra.local.process import Child, bare_environment
from infra.local.system import LocalSystem, content_key

FOLDER: Final = ROOT / ".build" / "past"
INPUTS: Final = ("functions/pay", "functions/certify/certificates", "layers/common/avarez", "simulation", "demo")
STEP: Final = "past"
LOADED: Final = "loaded"
CLOSER: Final = "pay-settle"
COMPUTED: Final = ("report-build", "assess-receivables")
"""Both read every chain; side by side they have two cores."""
MADE_WITHIN_S: Final = 900.0
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the past is made: of every car so many in a hundred, and which cities; all without a name."""

    percent: int = 100
    cities: tuple[str, ...] = ()

    def folder(self, through: date) -> Path:
        """Where the files of the code as it stands lie, once they are made."""
        key = content_key([ROOT / name for name in INPUTS])
        return FOLDER / "-".join([key, through.isoformat(), str(self.percent), *self.cities])


WHOLE: Final = Extent()


class PastMaker:
    """Makes the files in a process of its own, beside the start, where the data folder has no past yet."""

    def __init__(self, data_dir: Path, extent: Extent = WHOLE) -> None:
        self._extent = extent
        self._data_dir = data_dir
        self._child: Child | None = None
        self.folder: Path | None = None

    def start(self) -> None:
        """Begins, if there is anything to make."""
        if Marks(self._data_dir / "seed.json").done(STEP, LOADED):
            return
        through = tehran_today(datetime.now(UTC)) - timedelta(days=1)
        self.folder = self._extent.folder(through)
        if not self.folder.exists():
            self._child = self._making(self.folder, through)

    def _making(self, folder: Path, through: date) -> Child:
        command = [sys.executable, "-m", "demo.past.files", str(folder), through.isoformat()]
        command += [str(self._extent.percent), *self._extent.cities]
        return Child(command, env=bare_environment(), cwd=ROOT, log=self._data_dir / "logs" / "past.log")

    def wait(self) -> Path:
        """The folder, once it is whole.

        Raises: SeedError.
        """
        if self.folder is None:
            raise SeedError("nothing is being made")
        deadline = time.monotonic() + MADE_WITHIN_S
        while self._child is not None and self._child.running():
            if time.monotonic() > deadline:
                raise SeedError(f"the past was not made within {MADE_WITHIN_S:.0f} s")
            time.sleep(POLL_S)
        if not self.folder.exists():
            raise SeedError(f"the past could not be made: {self._child.output()[-1000:] if self._child else ''}")
        return self.folder

    def stop(self) -> None:
        """What is still being made is given up."""
        if self._child is not None:
            self._child.stop()


def load(system: LocalSystem, maker: PastMaker, say: Callable[[str], None]) -> int:
    """How many rows the ledger table got packed; nothing where the past is there already.

    Raises: SeedError.
    """
    marks = Marks(system.data_dir / "seed.json")
    if marks.done(STEP, LOADED) or maker.folder is None:
        return 0
    say("three fiscal years of five cities … · سه سال مالی پنج شهر …")
    folder = maker.wait()
    table = Table(system.outputs["LedgerTableName"], system.admin("dynamodb"))
    wanted = [path for path in sorted(folder.glob("*.jsonl")) if table.get(keys.chain_head(path.stem)) is None]
    rows = system.engine.archive(table.name, wanted)
    for path in wanted:
        loose: list[dict[str, Any]] = json.loads(path.with_suffix(".json").read_text("utf-8"))
        condition = "attribute_not_exists(pk)"
        puts = [{"TableName": table.name, "Item": item, "ConditionExpression": condition} for item in loose]
        transact([{"Put": put} for put in puts], dynamodb=table.dynamodb)
    marks.mark(STEP, LOADED)
    say(f"  {rows:,} rows of {len(wanted)} ledgers")
    return rows


def catch_up(system: LocalSystem) -> None:
    """What the schedules would do within a day: yesterday is closed, figures are built, receivables counted.

    Raises: SeedError.
    """
    try:
        system.run_function(CLOSER)
        with ThreadPoolExecutor(len(COMPUTED)) as pool:
            list(pool.map(system.run_function, COMPUTED))
    except RuntimeError as error:
        raise SeedError(str(error)) from error


def leave_out(data_dir: Path) -> None:
    """The past counts as loaded over this folder: for tests, which need none."""
    Marks(data_dir / "seed.json").mark(STEP, LOADED)
