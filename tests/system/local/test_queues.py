"""The local engine's queues as SQS and Lambda have them: groups side by side, each in order, failures aside."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.engine import Engine
from infra.local.process import any_free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
WITHIN_S = 60.0
SLOW = [f"slow-{number}" for number in range(11)]
"""More groups than the engine begins at once while they are new."""
AT_ONCE_MAX = len(SLOW) + 1
CODE = """
import json, os, time
from pathlib import Path

FOLDER = Path(os.environ["FOLDER"])

def note(what, record):
    attributes = record["attributes"]
    told = {"what": what, "group": attributes["MessageGroupId"], "body": record["body"], "id": record["messageId"]}
    with open(FOLDER / "notes", "a") as notes:
        notes.write(json.dumps(told) + "\\n")

def handle(event, context):
    failed = []
    for record in event["Records"]:
        note("begun", record)
        while record["body"] == "waits" and not (FOLDER / "released").exists():
            time.sleep(0.02)
        note("ended", record)
        if record["body"] == "fails":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class Worked:
    """An engine with one function that notes what it takes, and waits or fails as a message says."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.sqs, self.lambda_, self.folder = engine.client("sqs"), engine.client("lambda"), folder
        role = engine.client("iam").create_role(RoleName="noting", AssumeRolePolicyDocument=json.dumps(TRUST))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("noting.py", CODE)
        self.lambda_.create_function(
            FunctionName="noting",
            Runtime="python3.13",
            Handler="noting.handle",
            Role=role["Role"]["Arn"],
            Timeout=120,
            Environment={"Variables": {"FOLDER": str(folder)}},
            Code={"ZipFile": archive.getvalue()},
        )

    def queue(self, name: str, *, batch_size: int, visible_again_s: int, receives: int = 5) -> tuple[str, str]:
        """The addresses of a queue that the function works on, and of its dead letters."""
        dead = self._created(f"{name}-dead.fifo", {})
        redrive = {"deadLetterTargetArn": self._arn(dead), "maxReceiveCount": receives}
        attributes = {"VisibilityTimeout": str(visible_again_s), "RedrivePolicy": json.dumps(redrive)}
        url = self._created(f"{name}.fifo", attributes)
        self.lambda_.create_event_source_mapping(
            EventSourceArn=self._arn(url),
            FunctionName="noting",
            BatchSize=batch_size,
            ScalingConfig={"MaximumConcurrency": AT_ONCE_MAX},
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        return url, dead

    def send(self, url: str, group: str, body: str) -> None:
        """One message, which no other one repeats."""
        number = str(time.monotonic_ns())
        self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=number)

    def notes(self) -> list[dict[str, str]]:
        """What the function noted, in its order."""
        path = self.folder / "notes"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def noted(self, what: str, group: str) -> list[str]:
        """The bodies of this group's messages that were begun or ended."""
        return [note["body"] for note in self.notes() if (note["what"], note["group"]) == (what, group)]

    def _created(self, name: str, attributes: dict[str, str]) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true", **attributes})[
            "QueueUrl"
        ]
        return url

    def _arn(self, url: str) -> str:
        told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = told["Attributes"]["QueueArn"]
        return arn


@pytest.fixture
def worked(tmp_path: Path) -> Iterator[Worked]:
    folder = tmp_path / "noted"
    folder.mkdir()
    engine = Engine(tmp_path / "data", any_free_port(set()))
    engine.start()
    try:
        yield Worked(engine, folder)
        (folder / "released").touch()
        engine.stop()
    finally:
        engine.kill()


def until(true: Callable[[], bool], told: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)


def test_groups_that_wait_hold_up_no_other_one_and_each_keeps_its_order(worked: Worked) -> None:
    url, _ = worked.queue("waiting", batch_size=1, visible_again_s=600)
    for group in SLOW:
        worked.send(url, group, "waits")
        worked.send(url, group, "behind")
    until(lambda: all(worked.noted("begun", group) == ["waits"] for group in SLOW), worked.notes)
    well = ["well-1", "well-2", "well-3"]
    for number in range(3):
        for group in well:
            worked.send(url, group, str(number))
    until(lambda: all(worked.noted("ended", group) == ["0", "1", "2"] for group in well), worked.notes)
    assert [note for note in worked.notes() if note["group"] in SLOW and note["what"] == "ended"] == []
    assert [worked.noted("begun", group) for group in SLOW] == [["waits"]] * len(SLOW)
    (worked.folder / "released").touch()
    until(lambda: all(worked.noted("ended", group) == ["waits", "behind"] for group in SLOW), worked.notes)
    under_way, most = set[str](), 0
    for note in worked.notes():
        if note["what"] == "begun":
            assert note["group"] not in under_way, "one of a group at a time"
            under_way.add(note["group"])
            most = max(most, len(under_way))
        else:
            under_way.remove(note["group"])
    assert most == AT_ONCE_MAX


def test_what_fails_is_tried_again_alone_goes_aside_and_lets_the_next_of_its_group_pass(worked: Worked) -> None:
    url, dead = worked.queue("failing", batch_size=10, visible_again_s=1, receives=2)
    worked.send(url, "failing", "fails")
    until(lambda: worked.noted("begun", "failing") == ["fails"], worked.notes)
    worked.send(url, "failing", "next")
    worked.send(url, "well", "passes")
    until(lambda: worked.noted("ended", "failing") == ["fails", "fails", "next"], worked.notes)
    until(lambda: worked.noted("ended", "well") == ["passes"], worked.notes)
    aside: list[str] = []

    def has_gone_aside() -> bool:
        found = worked.sqs.receive_message(QueueUrl=dead).get("Messages", [])
        aside.extend(message["Body"] for message in found)
        return bool(aside)

    until(has_gone_aside, worked.notes)
    assert (aside, len(worked.notes())) == (["fails"], 8)
