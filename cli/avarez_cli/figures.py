"""`avarez figures verify`: the public figures, recomputed from their files, and by an auditor from the events.

Without an account the files are held against their names, each other and the manifest. With one that may read
events, each city's chain is read up to its commitment and the rows are computed anew. What cities are owed comes
from their rolls: of that the files, the sums, and what each year was computed from are checked.

Exit codes: 0 every figure is as it should be, 1 one is not, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from avarez.events.chain import Event
from avarez.figures.files import file_name
from avarez.figures.files import totals as collected_totals
from avarez.figures.owed.files import totals as owed_totals
from avarez.figures.recomputing import Checked, check_events, check_files
from avarez.money import format_rial
from avarez_cli import api

PAGE: Final = 500
TIMEOUT_S: Final = 60


def register(subparsers: Any) -> None:
    """Adds the subcommand to the command line."""
    figures: argparse.ArgumentParser = subparsers.add_parser(
        "figures", help="the public figures, recomputed", description=__doc__
    )
    verify = figures.add_subparsers(dest="figures_command", required=True, metavar="COMMAND").add_parser(
        "verify", help="whether the published figures are what they say", description=__doc__
    )
    verify.add_argument("--municipality", default="", metavar="CODE", help="this city alone")
    verify.add_argument("--events", type=Path, metavar="DIR", help="events in files CODE.ndjson, one a line")
    verify.add_argument("--manifest", default="", metavar="NAME", help="an earlier publication's, by its name")
    verify.add_argument("--json", action="store_true", help="print JSON")
    api.add_arguments(verify, required=False)
    verify.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Checks each city and prints what it found."""
    if not arguments.origin or not api.is_origin(arguments.origin):
        print("avarez: --origin is an address such as https://avarez.example", file=sys.stderr)
        return 2
    origin = arguments.origin.rstrip("/")
    try:
        name = arguments.manifest or json.loads(_fetched(f"{origin}/v1/open"))["manifest"]["name"]
        content = _file(origin, name)
        if file_name(content, "json") != name:
            print("avarez: the manifest is not what its name says", file=sys.stderr)
            return 1
        manifest = json.loads(content)
        wanted = [entry for entry in manifest["cities"] if arguments.municipality in ("", entry["municipality"])]
        if not wanted:
            print("avarez: nothing is published of that city", file=sys.stderr)
            return 2
        client = api.Api.signed_in(origin, arguments.username) if arguments.username else None
        checked = [_checked(origin, entry, client, arguments.events) for entry in wanted]
    except api.Refused as refusal:
        print(f"avarez: {refusal}", file=sys.stderr)
        return 2
    _print(manifest, name, checked, as_json=arguments.json)
    return 0 if all(one.good for one in checked) else 1


def _checked(origin: str, entry: dict[str, Any], client: api.Api | None, folder: Path | None) -> Checked:
    checked = check_files(entry, lambda name: _file(origin, name))
    last = int(entry["commitment"]["sequence"])
    if folder is not None:
        check_events(checked, _kept(folder / f"{checked.municipality}.ndjson"))
    elif client is not None:
        check_events(checked, _pulled(client, checked.municipality, last))
    return checked


def _pulled(client: api.Api, municipality: str, last: int) -> Iterator[Event]:
    after = 0
    while after < last:
        path = f"/v1/municipalities/{municipality}/events?after={after}&limit={PAGE}"
        page = client.call("GET", path)["events"]
        if not page:
            return
        for told in page:
            after = int(told["data"]["sequence"])
            yield Event(after, told["data"])


def _kept(path: Path) -> Iterator[Event]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            data = json.loads(line)
            yield Event(int(data["sequence"]), data)


def _file(origin: str, name: str) -> bytes:
    return _fetched(f"{origin}/v1/open/files/{name}")


def _fetched(address: str) -> bytes:
    return api.opened(urllib.request.Request(address), TIMEOUT_S)  # noqa: S310 - the scheme was checked


def _print(manifest: dict[str, Any], name: str, checked: list[Checked], *, as_json: bool) -> None:
    told = [_told(one) for one in checked]
    if as_json:
        document = {"number": manifest["number"], "manifest": name, "cities": told}
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    print(f"publication {manifest['number']} of {manifest['published_at']}, manifest {name}")
    for of in told:
        verdict = "as it should be" if of["good"] else "; ".join(of["faults"])
        print(f"{of['municipality']:20} collected {of['collected_rial']:>21} rial  {verdict}")
        if "owed_rial" in of:
            print(f"{'':20} owed {of['owed_rial']:>26} rial  for {', '.join(map(str, of['owed_years']))}")
        if "books" in of:
            books = ", ".join(f"{kind} {rial}" for kind, rial in of["books"].items())
            print(f"{'':20} from {of['events']} events: balance {of['balance_rial']} rial ({books})")


def _told(checked: Checked) -> dict[str, Any]:
    told: dict[str, Any] = {
        "municipality": checked.municipality,
        "good": checked.good,
        "faults": checked.faults,
        "collected_rial": "0",
    }
    if checked.figures is not None:
        told["collected_rial"] = collected_totals(checked.figures.rows)["collected_rial"]
    if checked.owed is not None:
        told["owed_rial"] = owed_totals(checked.owed)["owed_rial"]
        told["owed_years"] = [of.year for of in checked.owed.years]
    if checked.books is not None and checked.figures is not None:
        told |= {
            "events": checked.figures.commitment.sequence,
            "balance_rial": format_rial(checked.books.balance_rial),
            "books": {kind: format_rial(rial) for kind, rial in sorted(checked.books.rial.items()) if rial},
        }
    return told
