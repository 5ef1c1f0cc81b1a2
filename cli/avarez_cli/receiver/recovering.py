"""What did not come is fetched: the same events by pull, from where the books end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final, Protocol

from avarez_cli import api
from avarez_cli.receiver.books import Books, Outcome
from avarez_cli.receiver.reading import Unreadable, read_event

PAGE_EVENTS: Final = 500
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0


class Page(Protocol):
    """The service's answer to one question, or a fake's."""

    def __call__(self, after: int) -> Sequence[Mapping[str, Any]]:
        """The `data` of the events that follow sequence `after`, in their order.

        Raises:
            Refused: there is no answer now.
        """


class Broken(Exception):
    """What was fetched does not continue the books: nobody but people can say which of the two is right."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Events of one city by the public API, signed in anew for each page: a token lasts an hour, a gap is rare."""

    origin: str
    username: str
    municipality: str

    def __call__(self, after: int) -> Sequence[Mapping[str, Any]]:
        path = f"/v1/municipalities/{self.municipality}/events?after={after}&limit={PAGE_EVENTS}"
        try:
            client = api.Api.signed_in(self.origin, self.username)
            return [dict(event["data"]) for event in client.call("GET", path)["events"]]
        except (OSError, HTTPException) as error:
            raise api.Refused(f"no answer: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise api.Refused("the service's answer cannot be read") from error


def recover(books: Books, page: Page, now: Callable[[], datetime]) -> int:
    """Fetches from the head on until there is nothing more; how many events were placed.

    Raises:
        Refused: the service does not answer; what was placed stays.
        Broken: the service's chain is not that of the books.
    """
    began = books.head().sequence
    while True:
        after = books.head().sequence
        found = page(after)
        for data in found:
            try:
                outcome = books.take(read_event(data, books.municipality), now())
            except Unreadable as error:
                raise Broken(f"after event {after}: {error}") from error
            if outcome is Outcome.CONTRADICTS:
                raise Broken(f"event {data['sequence']} contradicts the books")
        reached = books.head().sequence
        if reached == after:
            return reached - began


class Recoverer:
    """Recovers in a thread of its own whenever it is woken, and every so often besides.

    No later message shows that the last one of all was lost: the looks of every so often do. After a failure it
    waits, twice as long each time unless it is woken.
    """

    def __init__(
        self, books: Books, page: Page, now: Callable[[], datetime], tell: Callable[[str], None], every_s: float
    ) -> None:
        self._books, self._page, self._now, self._tell, self._every_s = books, page, now, tell, every_s
        self._woken, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="recoverer", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def wake(self) -> None:
        """Something is missing. Returns at once."""
        self._woken.set()

    def stop(self) -> None:
        """Ends after what it is doing."""
        self._over.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._over.is_set():
            self._woken.clear()
            try:
                placed = recover(self._books, self._page, self._now)
            except (api.Refused, Broken) as error:
                self._tell(f"not recovered: {error}")
                self._over.wait(FIRST_WAIT_S)
                self._woken.wait(wait_s - FIRST_WAIT_S)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                continue
            wait_s = FIRST_WAIT_S
            if placed:
                self._tell(f"{placed} events fetched, to {self._books.head().sequence}")
            self._woken.wait(self._every_s)
