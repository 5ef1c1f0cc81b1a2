"""`avarez verify-webhook`: whether a message to a municipality is ours, by its three headers and its body.

Exit codes: 0 it is signed by this secret and of the last five minutes; 1 it is not; 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from avarez.clock import SystemClock, from_rfc3339, to_rfc3339
from avarez.errors import SignatureRefused
from avarez.webhooks import check


def register(subparsers: Any) -> None:
    """Adds `verify-webhook` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify-webhook", help="check the signature of a message", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("body", type=Path, help="the body, byte for byte as it came")
    parser.add_argument("--id", required=True, help="the header webhook-id")
    parser.add_argument("--timestamp", required=True, help="the header webhook-timestamp")
    parser.add_argument("--signature", required=True, help="the header webhook-signature")
    parser.add_argument("--secret", type=Path, required=True, help="a file with whsec_…, one a line in a rotation")
    parser.add_argument("--at", metavar="TIME", help="when it came, in RFC 3339 (now)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the verdict; 1 when the message is not ours, or not of now."""
    try:
        now: datetime = from_rfc3339(arguments.at) if arguments.at else SystemClock().now()
        secrets = arguments.secret.read_text(encoding="ascii").split()
        body = arguments.body.read_bytes()
        headers = {
            "webhook-id": arguments.id,
            "webhook-timestamp": arguments.timestamp,
            "webhook-signature": arguments.signature,
        }
        message = check(headers, body, secrets, now)
    except SignatureRefused as refused:
        print(json.dumps({"valid": False, "code": refused.code}) if arguments.json else refused.title_en)
        return 1
    except ValueError as error:
        print(f"avarez verify-webhook: {error}", file=sys.stderr)
        return 2
    told = {"valid": True, "id": message.message_id, "sent_at": to_rfc3339(message.sent_at)}
    print(json.dumps(told) if arguments.json else f"valid: {message.message_id}, sent at {told['sent_at']}")
    return 0
