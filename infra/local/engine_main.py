"""Runs `engine_process` on the Python of the engine's own environment, which knows nothing of this project.

The root goes on this process's path alone: what the engine starts must not see it, so no variable carries it.
"""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from infra.local.engine_process.main import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # the engine leaves threads that would hold the process
