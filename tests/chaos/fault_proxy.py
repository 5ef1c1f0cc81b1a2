"""microburst between the functions and the local engine: faults as the cloud's own services have them.

Source: microburst 0.10, its README ("Rules", "Control API"). The first rule that matches and whose draw falls
below its probability fires; every fault that fires is counted by service, operation and action.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.local.engine import ROOT
from infra.local.process import Child, any_free_port, bare_environment

START_TIMEOUT_S = 20.0
POLL_S = 0.05
Rule = Mapping[str, Any]

CONFLICT = {
    "CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
}
STORM: Sequence[Rule] = (
    # Written, and nobody is told: what doubles money where a system is careless.
    {"service": "dynamodb", "operation": "TransactWriteItems", "probability": 0.05, "response": {"abort_frac": 0}},
    {
        "service": "dynamodb",
        "operation": "TransactWriteItems",
        "probability": 0.02,
        "error": {"code": "TransactionCanceledException", "fields": CONFLICT},
    },
    {"service": "dynamodb", "probability": 0.03, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"service": "dynamodb", "probability": 0.02, "response": {"abort_frac": 0}},
    {"service": "dynamodb", "probability": 0.01, "response": {"corrupt_bytes": 4}},
    {"service": "dynamodb", "probability": 0.01, "error": {"code": "InternalServerError", "status": 500}},
    # Its default status of 400 is never asked again by the SDK; the service itself answers 500.
    {"service": "kms", "probability": 0.08, "error": {"code": "KMSInternalException", "status": 500}},
    {"service": "s3", "probability": 0.05, "error": {"code": "SlowDown", "status": 503}},
    {"service": "s3", "probability": 0.03, "response": {"corrupt_bytes": 8}},
    {"service": "sqs", "probability": 0.05, "response": {"abort_frac": 0}},
    {"service": "*", "probability": 0.02, "reset": True},
    {"service": "*", "probability": 0.01, "response": {"truncate_frac": 0.5}},
)
"""About one call in ten; of the money's own writes one in twenty is done and not acknowledged."""

_COUNTED = re.compile(r'^microburst_faults_total\{service="(.*?)",operation="(.*?)",action="(.*?)"\} (\d+)$')


class FaultProxy:
    """The proxy in front of one engine; it starts calm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = any_free_port(set())
        self._child: Child | None = None

    def before(self, engine_url: str) -> str:
        """The proxy's address, once it stands in front of this address."""
        self.stop()
        command = [
            sys.executable,
            "-m",
            "tests.chaos.proxy_process",
            "--upstream",
            engine_url,
            "--port",
            str(self._port),
        ]
        self._child = Child(command, env=bare_environment(), cwd=ROOT, log=self._folder / "faults.log")
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._call("GET", "health")
                return self.url
            except OSError:
                assert self._child.running(), self._child.output()
                assert time.monotonic() < deadline, self._child.output()
                time.sleep(POLL_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def storm(self, rules: Sequence[Rule] = STORM) -> None:
        """From here on these faults happen."""
        self._call("POST", "rules", list(rules))

    def calm(self) -> None:
        """No fault happens any more."""
        self._call("POST", "rules", [])

    def fired(self) -> Counter[tuple[str, str, str]]:
        """How often each fault fired: by service, operation and action."""
        lines = self._call("GET", "metrics").decode().splitlines()
        found = (_COUNTED.match(line) for line in lines)
        return Counter({(of[1], of[2], of[3]): int(of[4]) for of in found if of})

    def requests(self) -> int:
        """How many requests came through, with or without a fault."""
        return int(json.loads(self._call("GET", "health"))["requests_seen"])

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _call(self, method: str, path: str, body: Any = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/_microburst/{path}", content, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            assert response.status == 200, answer
            return answer
        finally:
            connection.close()
