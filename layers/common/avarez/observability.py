"""One JSON line per request, and metrics for the events of money. No personal data: the callers see to it."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from typing import Any

from aws_lambda_powertools import Logger

METRICS_NAMESPACE = "Avarez"


@functools.cache
def logger() -> Logger:
    """The process's logger; its service name comes from POWERTOOLS_SERVICE_NAME."""
    return Logger(log_uncaught_exceptions=False, use_rfc3339=True, utc=True)


def log(event: str, *, level: str = "info", **fields: Any) -> None:
    """Writes one line with `event` as its message; fields are ids, outcomes and durations only."""
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    getattr(logger(), level)(event, extra={**fields, **({"trace": trace} if trace else {})})


def log_failure(event: str, **fields: Any) -> None:
    """Writes one line for a failure nobody foresaw, with the place in our code but not the data.

    Exception messages may quote input, so only the type and the frames are written.
    """
    kind, _, trace = sys.exc_info()
    frames = []
    while trace is not None:
        frames.append(f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")
        trace = trace.tb_next
    log(event, level="error", error_type=kind.__name__ if kind else "", frames=frames[-8:], **fields)


def metric(name: str, value: int = 1, unit: str = "Count") -> None:
    """Emits one metric in CloudWatch's embedded format, as a line of its own.

    Source: CloudWatch embedded metric format specification.
    """
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": METRICS_NAMESPACE,
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": name, "Unit": unit}],
                }
            ],
        },
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "avarez"),
        name: value,
    }
    sys.stdout.write(json.dumps(line) + "\n")
