"""cdk-nag runs in every synthesis and stops it; what is accepted has its reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

OPEN_FINDING = """
import sys
from pathlib import Path
from aws_cdk import App, Stack, aws_sqs as sqs
from infra.app import check
app = App(outdir=sys.argv[1], analytics_reporting=False)
sqs.Queue(Stack(app, "Open"), "Plain")
check(app)
app.synth()
"""


def test_synthesis_stops_on_an_open_finding(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_FINDING, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    report = json.loads((tmp_path / "validation-report.json").read_text("utf-8"))
    assert done.returncode != 0
    assert "AwsSolutions-SQS3" in json.dumps(report)
    assert "Serverless-SQSRedrivePolicy" in json.dumps(report)


def test_synthesis_of_ours_has_no_open_finding(assembly: Path) -> None:
    report = json.loads((assembly / "validation-report.json").read_text("utf-8"))
    assert report["pluginReports"] == []


def test_every_acceptance_is_written_down() -> None:
    page = (ROOT / "docs" / "infrastructure.md").read_text("utf-8")
    accepted = set()
    for path in (ROOT / "infra").rglob("*.py"):
        accepted |= set(re.findall(r'"((?:AwsSolutions|Serverless)-[A-Za-z0-9]+)', path.read_text("utf-8")))
        accepted |= set(re.findall(r'f"((?:AwsSolutions|Serverless)-[A-Za-z0-9]+)\[', path.read_text("utf-8")))
    assert accepted
    assert {rule for rule in accepted if f"`{rule}`" not in page} == set()
