"""The first visits: some owners of each demonstration city pay at once, so that no page begins empty.

Through the public API and the sandbox gateway's page, as a clerk does it. Then the public figures and what
the cities are owed are computed once, as the schedule would do it at the end of the day. The cars are the last of
each roll, which no example of the README uses.
"""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

from demo.plates import MUNICIPALITY, owing_plates, owing_plates_of
from demo.seed import BUSY, TRIES_WHEN_BUSY, Marks, Running, SeedError, call, demo_accounts, sign_in

CITIES: Final = (MUNICIPALITY, "TEHRAN", "ISFAHAN", "SHIRAZ", "TABRIZ")
VISITS: Final = 8
"""Of each city: more than the five vehicles that make a cell of the figures, and few, since somebody waits."""
AT_ONCE: Final = 3
SETTLED_WITHIN_S: Final = 120.0
PUBLISHED_WITHIN_S: Final = 180.0
POLL_S: Final = 0.3
BUILDER: Final = "report-build"
COUNTER: Final = "assess-receivables"
GATEWAY_TIMEOUT_S: Final = 60


class RunningFunctions(Running, Protocol):
    """What the visits need of a running system besides."""

    def run_function(self, part: str) -> Any:
        """One run of the one function that `part` names."""
        ...


def visit(system: RunningFunctions, say: Callable[[str], None], *, visits: int = VISITS) -> None:
    """So many cars of each city have paid, and figures of every city are published. Done once, as a mark says.

    Raises: SeedError.
    """
    marks = Marks(system.data_dir / "seed.json")
    if marks.done("visits", str(visits)):
        return
    say(f"first visits: {visits} in each city … · نخستین پرداخت‌ها …")
    clerk = next(account for account in demo_accounts() if account["group"] == "office")
    token = sign_in(system.origin, clerk["username"], clerk["password"])
    stop = threading.Event()
    wanted = [(city, plate) for city in CITIES for plate in _plates(city, visits)]
    with ThreadPoolExecutor(AT_ONCE) as clerks:
        try:
            paid = sum(clerks.map(lambda one: _pay(system.origin, token, one[0], one[1], stop), wanted))
        except BaseException:
            stop.set()
            raise
    say(f"  {paid} payments of {len(wanted)} cars; public figures … · آمار عمومی …")
    _publish(system, stop)
    marks.mark("visits", str(visits))


def leave_out(data_dir: Path) -> None:
    """The visits count as done over this folder: for tests, which count on every car as the roll has it."""
    Marks(data_dir / "seed.json").mark("visits", str(VISITS))


def _plates(city: str, count: int) -> list[str]:
    plates = owing_plates() if city == MUNICIPALITY else owing_plates_of(city)
    return plates[-count:]


def _pay(origin: str, token: str, city: str, plate: str, stop: threading.Event) -> bool:
    """Whether the car had something to pay; it is paid and certified then.

    Raises: SeedError.
    """
    if stop.is_set():
        raise SeedError("stopped")
    asked = {"municipality": city, "plate": plate}
    status, quote = call(origin, "POST", "/v1/assessments", asked, token)
    if status != 201:
        raise SeedError(f"{city} {plate}: {status} {quote}")
    if int(quote["owed_rial"]) == 0:
        return False
    body = {"assessment_id": quote["assessment_id"], "channel": "gateway"}
    status, payment = call(origin, "POST", "/v1/payments", body, token, key=uuid.uuid4().hex)
    if status == 409:  # paid by an earlier start, or still leased by one that was cut off
        return False
    if status != 201:
        raise SeedError(f"{city} {plate}: {status} {payment}")
    _press(payment["redirect_url"])
    path = f"/v1/payments/{payment['payment_id']}"
    settled = _until(lambda: _found(origin, token, path, "settled"), SETTLED_WITHIN_S, stop, path)
    path = f"/v1/certificates/{settled['certificate_id']}"
    _until(lambda: _found(origin, token, path, "in_force"), SETTLED_WITHIN_S, stop, path)
    return True


def _press(page: str) -> None:
    """Pays on the gateway's page, and follows it back as a browser does; a way back that fails is gone once more.

    Raises: SeedError.
    """
    form = urllib.parse.urlencode({"result": "paid"}).encode()
    asked = urllib.request.Request(page, data=form, method="POST")  # noqa: S310 - the sandbox's own page
    for attempt in range(TRIES_WHEN_BUSY):
        try:
            with urllib.request.urlopen(asked, timeout=GATEWAY_TIMEOUT_S) as answer:  # noqa: S310 - as above
                answer.read()
                return
        except urllib.error.HTTPError as error:
            if error.code not in BUSY or error.url == page:
                raise SeedError(f"{error.url}: {error.code}") from error
            asked = urllib.request.Request(error.url)  # noqa: S310 - the callback, as a reload does it
        time.sleep(0.2 * 2**attempt)
    raise SeedError(f"{page}: its way back is not answered")


def _found(origin: str, token: str, path: str, wanted: str) -> dict[str, Any] | None:
    status, told = call(origin, "GET", path, None, token)
    return told if status == 200 and told["status"] == wanted else None


def _publish(system: RunningFunctions, stop: threading.Event) -> None:
    """Runs the builder until figures of every city stand: events come to their places within seconds. Then what
    the cities are owed is counted, and told beside what was collected."""

    def published() -> set[str] | None:
        _run(system, BUILDER)
        status, index = call(system.origin, "GET", "/v1/open")
        found = {of["municipality"] for of in index["cities"]} if status == 200 else set()
        return found if found >= set(CITIES) else None

    _until(published, PUBLISHED_WITHIN_S, stop, "/v1/open")
    _run(system, COUNTER)
    _run(system, BUILDER)  # once more: what the rolls are charged is known now


def _run(system: RunningFunctions, part: str) -> None:
    """Raises: SeedError."""
    try:
        system.run_function(part)
    except RuntimeError as error:
        raise SeedError(str(error)) from error


def _until(read: Callable[[], Any], timeout_s: float, stop: threading.Event, what: str) -> Any:
    """The first answer of `read` that is not None. Raises: SeedError when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if (found := read()) is not None:
            return found
        if stop.wait(POLL_S):
            raise SeedError("stopped")
    raise SeedError(f"{what}: not as it should be within {timeout_s:.0f} s")
