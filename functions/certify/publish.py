"""Each minute: the signing keys in order, their signed history and the status lists published."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.observability import log, metric
from avarez.settings import setting
from functions.certify.signing.keys import has_standby
from functions.certify.signing.publishing import keep_keys
from functions.certify.signing.wiring import key_register, root_signer, signing_pool
from functions.certify.status.wiring import publish_status

clock = SystemClock()


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; writes one log line for the run."""
    started = time.monotonic()
    done = keep_keys(
        signing_pool(),
        keys=key_register(),
        root=root_signer(),
        issuer=setting("PUBLIC_ORIGIN"),
        now=clock.now(),
    )
    if not has_standby(key_register()):
        metric("signing_key_standby_missing")
    lists = publish_status()
    duration_ms = round((time.monotonic() - started) * 1000)
    log("published", rotated=done["rotated"], signed=done["signed"], lists=lists, duration_ms=duration_ms)
    return {**done, "lists": lists}
