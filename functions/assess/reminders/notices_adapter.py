"""The two ways out of a message: SNS in the cloud, a file on a machine of one's own. One of them is set up."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from avarez.clock import to_rfc3339
from avarez.dynamo import client, translated
from avarez.errors import AvarezError

FILE_PREFIX: Final = "file:"


class MessageRefused(Exception):
    """The way out said no, or nothing: the message counts as given, and is not sent again."""


class Notices(Protocol):
    """Gives a message to be delivered."""

    def give(self, mobile: str, text: str, now: datetime) -> None: ...


class FileNotices:
    """A line of JSON for each message, readable by whoever runs the machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def give(self, mobile: str, text: str, now: datetime) -> None:
        """Appends the message; whole lines, since one write of this length is one."""
        line = json.dumps({"to": mobile, "text": text, "at": to_rfc3339(now)}, ensure_ascii=False)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(line + "\n")


class SnsNotices:
    """Amazon SNS, straight to the number. The text is never logged.

    Source: Amazon SNS API reference, Publish: PhoneNumber in E.164, SMSType Transactional.
    """

    def __init__(self, sns: Any | None = None) -> None:
        self._sns = sns

    def give(self, mobile: str, text: str, now: datetime) -> None:
        """Gives the message to SNS.

        Raises:
            MessageRefused: it did not take it, or did not say so.
        """
        sns = self._sns if self._sns is not None else client("sns")
        kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        try:
            with translated():
                sns.publish(PhoneNumber=f"+98{mobile[1:]}", Message=text, MessageAttributes=kind)
        except (ClientError, AvarezError) as error:
            raise MessageRefused from error


def notices_for(way: str) -> Notices:
    """The adapter of the setting `MESSAGES_TO`: `sns`, or `file:` and a path.

    Raises:
        ValueError: neither.
    """
    if way == "sns":
        return SnsNotices()
    if way.startswith(FILE_PREFIX):
        return FileNotices(Path(way.removeprefix(FILE_PREFIX)))
    raise ValueError("MESSAGES_TO is sns, or file: and a path")
