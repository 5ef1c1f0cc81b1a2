"""The sandbox gateway as a process of its own, and a payer at its page."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from functions.pay.gateways.adapters.sandbox import SandboxGateway

ROOT = Path(__file__).resolve().parents[3]
MERCHANT, SECRET = "shop-1", "5e" * 32
CALLBACK = "https://avarez.example/v1/callbacks/sandbox"


@dataclass
class SandboxProcess:
    """A running gateway; `stop` ends it."""

    process: subprocess.Popen[str]
    base_url: str

    @classmethod
    def start(cls, data: Path) -> SandboxProcess:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.gateways.sandbox", "--port", "0", "--data", str(data)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "SANDBOX_SECRET": SECRET, "SANDBOX_MERCHANT": MERCHANT},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return cls(process, json.loads(process.stdout.readline())["sandbox"])

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def adapter(self, **changes: Any) -> SandboxGateway:
        """The adapter under test, less patient than in production."""
        return SandboxGateway(
            **{"base_url": self.base_url, "merchant": MERCHANT, "secret": SECRET, "timeout_ms": 1_000, **changes}
        )

    def call(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Status, headers and text of an answer; redirects are not followed."""
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def control(self, what: str, **members: Any) -> dict[str, Any]:
        status, _, text = self.call("POST", f"/control/{what}", json.dumps(members))
        assert status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer

    def fail(self, mode: str, call: str, **more: Any) -> None:
        self.control("failures", mode=mode, call=call, **more)

    def press(self, page_url: str, result: str) -> tuple[int, str]:
        """Presses one of the page's two buttons; the status and where the browser goes next."""
        form = urlencode({"result": result})
        status, headers, _ = self.call(
            "POST", urlsplit(page_url).path, form, **{"content-type": "application/x-www-form-urlencoded"}
        )
        return status, headers.get("location", "")

    def pay(self, page_url: str) -> dict[str, str]:
        """Pays; the fields of the callback."""
        status, location = self.press(page_url, "paid")
        assert status == 303
        assert location.startswith(CALLBACK + "?")
        return dict(parse_qsl(urlsplit(location).query))

    def report(self, **query: str) -> tuple[int, http.client.HTTPMessage, str]:
        asked = urlencode({"merchant": MERCHANT, **query})
        return self.call("GET", f"/api/report?{asked}", authorization=f"Bearer {SECRET}")
