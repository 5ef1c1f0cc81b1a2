"""`make bench`: every figure that the README quotes, as medians of rounds in one run, into `benchmarks/results/`.

Exit codes: 0 every floor is met, 1 one is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import engine, imports, open_figures, pages
from benchmarks.certificates import document, status_list, transparency
from benchmarks.cost import measure as cost
from benchmarks.openfisca import compare
from benchmarks.report import Figure, save, table
from benchmarks.rolls import fleets
from benchmarks.running import beside, deliveries, journeys
from benchmarks.typesetters import compare as typesetters

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def main() -> int:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing saved")
    parser.add_argument("--full", action="store_true", help="three times as many journeys")
    parser.add_argument("--no-floors", action="store_true", help="exit 0 whatever is met")
    options = parser.parse_args()
    rounds, count = (1, 8) if options.quick else (3, 96 if options.full else 32)
    began, started = datetime.now(UTC), time.monotonic()
    figures: list[Figure] = []
    figures += journeys.figures(rounds=rounds, journeys=count, samples=10 if options.quick else 60)
    figures += deliveries.figures(
        rounds=1 if options.quick else 3, many=20 if options.quick else 300, payments=40 if options.quick else 200
    )
    figures += beside.figures(rounds=1 if options.quick else 5, payments=20 if options.quick else 60)
    figures += cost.figures(payments=8 if options.quick else 40)
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        figures += imports.figures(ROOT, Path(folder), rounds=1 if options.quick else 5)
    figures += engine.figures(ROOT, rounds=rounds, count=500 if options.quick else 5_000)
    rows = 20_000 if options.quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        figures += fleets.figures(ROOT, Path(folder), rounds=rounds, count=rows)
    if not options.quick:  # installs OpenFisca at its first run
        figures += compare.figures(ROOT, rounds=rounds, count=100_000, singles=500)
    figures += document.figures(ROOT, rounds=5 if options.quick else 40)
    figures += document.signatures(rounds=5 if options.quick else 15, count=200)
    if not options.quick:  # installs WeasyPrint and fpdf2 at its first run
        signer = document.LocalSigner()
        figures += typesetters.figures(ROOT, [document.sample(signer)[0] for _ in range(9)], rounds=5)
    figures += transparency.figures(rounds=rounds, count=5_000 if options.quick else 100_000)
    figures += open_figures.figures(ROOT, rounds=1, count=2_000 if options.quick else 1_000_000)
    figures += pages.figures(ROOT, rounds=1 if options.quick else 5)
    figures += status_list.figures(rounds=2 if options.quick else 5)
    print(table(figures))
    if not options.quick:
        took_s = time.monotonic() - started
        print(f"\nsaved: {save(figures, RESULTS, made_at=began.isoformat(timespec='seconds'), took_s=took_s)}")
    missed = [figure.name for figure in figures if figure.met is False]
    if missed:
        print(f"floors not met: {', '.join(missed)}", file=sys.stderr)
    return 0 if options.no_floors or not missed else 1


if __name__ == "__main__":
    sys.exit(main())
