"""A way to a city's receiver that loses, holds back and doubles messages, and says 200 to all of them."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from avarez_cli.receiver.books import Books
from avarez_cli.receiver.taking import Answer, Receiver, said

FAULTS = ("dropped", "reordered", "duplicated")


@dataclass
class Unreliable:
    """Stands before one receiver; `share` of its messages, from 0 to 1, meet one of the faults.

    `lost` are places that were dropped or are held, and nothing later has come; `unnoticed` are those of them
    that the books still lacked, without a gap, when the next later message had been taken. `furthest` is the last
    place that was sent this way, whatever became of it.
    """

    receiver: Receiver
    books: Books
    chance: random.Random
    share: float
    befell: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*FAULTS, "delivered"), 0))
    lost: set[int] = field(default_factory=set)
    unnoticed: set[int] = field(default_factory=set)
    furthest: int = 0
    _held: list[tuple[Mapping[str, str], bytes, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the sender hears: 200 for what was lost, too."""
        told = json.loads(body)["data"]
        sequence = told.get("sequence")
        if sequence is None or not self.receiver.secrets():
            return self.receiver.answer(headers, body)
        with self._lock:
            self.befell["delivered"] += 1
            self.furthest = max(self.furthest, sequence)
            fault = self.chance.choice(FAULTS) if self.chance.random() < self.share else ""
            if fault:
                self.befell[fault] += 1
            if fault in ("dropped", "reordered"):
                self.lost.add(sequence)
                if fault == "reordered":
                    self._held.append((headers, body, sequence))
                return said(200)
            answer = self._pass(headers, body, sequence)
            if fault == "duplicated":
                assert self._pass(headers, body, sequence).status == 200
            for held in self._held:
                assert self._pass(*held).status == 200
            self._held.clear()
            return answer

    def _pass(self, headers: Mapping[str, str], body: bytes, sequence: int) -> Answer:
        answer = self.receiver.answer(headers, body)
        told = {place for gap in self.books.gaps() for place in range(gap.first, gap.last + 1)}
        for place in [one for one in self.lost if one < sequence]:
            self.lost.discard(place)
            if place not in told and self.books.head().sequence < place:
                self.unnoticed.add(place)
        self.lost.discard(sequence)
        return answer
