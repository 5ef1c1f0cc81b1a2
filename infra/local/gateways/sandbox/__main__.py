"""Starts the sandbox gateway: `python -m infra.local.gateways.sandbox --port 8090 --data .data/sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path

from aiohttp import web

from infra.local.gateways.sandbox.server import Sandbox


async def serve(port: int, folder: Path, *, merchant: str, secret: str) -> None:
    """Serves on 127.0.0.1 until cancelled; port 0 takes a free one, which the first line names."""
    sandbox = Sandbox(folder, merchant=merchant, secret=secret)
    runner = web.AppRunner(sandbox.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    bound = runner.addresses[0][1]
    sandbox.base_url = f"http://127.0.0.1:{bound}"
    print(json.dumps({"sandbox": sandbox.base_url}), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """The command line; credentials come from the environment, so that no process list shows them."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateways.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of the gateway's own file")
    parser.add_argument("--merchant", default=os.environ.get("SANDBOX_MERCHANT", ""))
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_SECRET", ""))
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.data, merchant=arguments.merchant, secret=arguments.secret))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
