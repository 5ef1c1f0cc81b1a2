"""`avarez simulate`: the real code of payments over a deterministic world, with faults at every call.

Worlds of ten thousand visits each: payers at two gateways, fleets, bills at banks, cards at terminals, refunds.
Writes are throttled, killed and sent again, gateways are silent, forgetful and wrong, callbacks are lost, doubled,
late and forged. When the storm is over everything must come to its end by itself, and the invariants must hold.

Exit codes: 0 all invariants hold, nothing is lost and every fault was reached; 1 not so; 2 wrong use.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAYMENTS_MAX: Final = 10_000_000
MEMBERS: Final = (
    "seed", "payments", "faults_fired", "faults", "unreached", "invariants", "lost_rial", "settled", "suspense",
    "refunded", "state_hash", "elapsed_s",
)  # fmt: skip
"""What `--json` prints, and nothing besides; of one seed only `elapsed_s` differs from run to run."""


def register(subparsers: Any) -> None:
    """Adds `simulate` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "simulate", help="run the payments' code through storms of faults", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--payments", type=int, default=20_000, metavar="N", help="visits in all (20,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same run (1)")
    parser.add_argument("--faults", type=float, default=0.1, metavar="P", help="chance of a fault a call (0.1)")
    parser.add_argument("--processes", type=int, default=None, metavar="K", help="cores to use (all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the report of a run; 1 when it does not pass."""
    if not 1 <= arguments.payments <= PAYMENTS_MAX or not 0 <= arguments.faults < 1:
        print("avarez simulate: --payments from 1 to 10,000,000, --faults from 0 to below 1", file=sys.stderr)
        return 2
    if not (ROOT / "simulation").is_dir():
        print("avarez simulate: needs the project's own folder, as the code it runs lies there", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    simulator = importlib.import_module("simulation.run")
    told = simulator.simulate(arguments.payments, arguments.seed, arguments.faults, processes=arguments.processes)
    wrong = simulator.verdict(told, arguments.faults)
    if not arguments.json:
        print(text(told, wrong))
        return 1 if wrong else 0
    print(json.dumps({name: told[name] for name in MEMBERS}, indent=2))
    for reason in wrong:
        print(f"avarez simulate: {reason}", file=sys.stderr)
    return 1 if wrong else 0


def text(told: dict[str, Any], wrong: list[str]) -> str:
    """The report for people."""
    lines = [
        f"seed {told['seed']}: {told['payments']:,} visits, "
        f"{told['faults_fired']:,} faults, {told['elapsed_s']} s",
        f"settled {told['settled']:,} · refunded {told['refunded']:,} · suspense {told['suspense']:,} · "
        f"lost {told['lost_rial']:,} rial",
        "invariants " + " ".join(f"{name}:{_count(count)}" for name, count in told["invariants"].items()),
        f"state {told['state_hash']}",
        "",
        f"{'fault':22}{'site':28}{'times':>8}",
    ]
    for kind, sites in told["faults"].items():
        lines += [f"{kind:22}{site:28}{count:8,}" for site, count in sites.items()]
    lines += ["", "passed" if not wrong else "NOT PASSED: " + "; ".join(wrong)]
    for name, found in told["examples"].items():
        lines += [f"  {name}: {example}" for example in found]
    return "\n".join(lines)


def _count(count: int | None) -> str:
    return "not yet" if count is None else str(count)
