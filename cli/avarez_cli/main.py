"""The command line `avarez`: what an operator, a notary's back office or a municipality's technician needs.

Exit codes: 0 success, 1 a negative verdict, 2 wrong use.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

_SUBCOMMANDS = (
    "assess",
    "conformance",
    "figures",
    "keys",
    "ledger",
    "log",
    "receiver",
    "replay",
    "roll",
    "simulate",
    "tariff",
    "verify",
    "verify_events",
    "verify_webhook",
)
WRONG_USE = 2


def parser() -> argparse.ArgumentParser:
    """The parser with every subcommand; each lives in a module of its own name."""
    top = argparse.ArgumentParser(
        prog="avarez",
        description="Municipal vehicle duty: assess, replay, import rolls, check tariffs, verify certificates.",
    )
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in _SUBCOMMANDS:
        importlib.import_module(f"avarez_cli.{name}").register(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code."""
    parsed = parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"avarez: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return WRONG_USE


if __name__ == "__main__":
    sys.exit(main())
