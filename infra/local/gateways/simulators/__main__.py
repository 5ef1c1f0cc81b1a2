"""Starts the simulators: `python -m infra.local.gateways.simulators --port 8091 --data .data/simulators`."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from aiohttp import web

from infra.local.gateways.common.server import BODY_BYTES_MAX
from infra.local.gateways.simulators.behpardakht import Behpardakht
from infra.local.gateways.simulators.sadad import Sadad
from infra.local.gateways.simulators.sep import Sep
from infra.local.gateways.simulators.simulator import Simulator
from infra.local.gateways.simulators.zarinpal import Zarinpal
from infra.local.gateways.simulators.zibal import Zibal

ALL: tuple[type[Simulator], ...] = (Zarinpal, Zibal, Sep, Sadad, Behpardakht)


async def serve(port: int, folder: Path) -> None:
    """Serves on 127.0.0.1 until cancelled; port 0 takes a free one, which the first line names."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    simulators = [simulator(folder, f"/{simulator.name}") for simulator in ALL]
    for simulator in simulators:
        app.add_subapp(simulator.prefix, simulator.application())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for simulator in simulators:
        simulator.base_url = base_url + simulator.prefix
    print(json.dumps({"simulators": {one.name: one.base_url for one in simulators}}), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateways.simulators", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of the gateways' own files")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.data))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
