"""What may go wrong, where, and how often it did. Every fault type has the call sites that it can befall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

WRITES = (
    "create",
    "create_members",
    "lease_part",
    "move_chunk",
    "advance",
    "begin_verifying",
    "resume_waiting",
    "close",
    "settle",
    "settle_bill",
    "put_found",
    "postpone",
    "record",
    "request",
    "approve",
    "move",
    "finish",
    "begin_closing",
    "finish_closing",
    "book_variance",
    "open_agreement",
    "start_agreement",
    "break_agreement",
    "hold",
    "append",
    "release",
    "save",
)
"""The writes of the store, each a site of its own; the last four are the sequencer's and an endpoint's."""

_OF_WRITES = ("busy", "killed_before", "killed_after", "sent_again")
"""Throttled; the process dies before it or after it; the response is lost and the SDK sends it again."""

SITES: Mapping[str, tuple[str, ...]] = {
    **{f"store.{name}": _OF_WRITES for name in WRITES},
    "gateway.request_token": ("silent", "answer_lost", "refused"),
    "gateway.verify": ("silent", "answer_lost", "lagging", "wrong_amount", "interleaved"),
    "gateway.inquire": ("silent", "answer_lost", "interleaved"),
    "gateway.reverse": ("silent", "answer_lost", "refused"),
    "queue.send": ("dropped", "duplicated", "delayed"),
    "callback": (
        "dropped",
        "duplicated",
        "late",
        "wrong_amount",
        "wrong_token",
        "invented_reference",
        "stolen_reference",
        "false_cancellation",
    ),
    "payer": ("abandons", "cancels", "pays_late", "clicks_twice", "rival", "cancels_at_office"),
    "bank": ("line_repeated", "line_late", "line_unknown", "never_paid", "paid_twice", "paid_elsewhere_too"),
    "terminal": ("answer_lost", "typed_by_hand", "declined", "wrong_amount", "variance", "sale_unknown"),
    "by parts": ("stops", "two_at_once", "year_alone", "pays_ahead"),
    "sequencer.wake": ("dropped", "duplicated", "delayed"),
    "sequencer": ("two_writers",),
    "delivery.wake": ("dropped", "duplicated", "delayed"),
    "delivery": ("two_workers",),
    "endpoint": ("refused", "slow", "busy", "redirected", "answer_lost"),
    "closing": ("busy", "killed_before", "killed_after", "answer_lost", "sent_again"),
    "closer": ("two_closers",),
    "statement": ("repeated", "in_parts"),
    "city": ("down", "gone", "stops", "replays"),
    "clock": ("jumps",),
    "sweep": ("skipped",),
    "gateway": ("outage",),
}
"""Sites, and the types of fault that each can have."""

LEAST_PER_PAIR = 1
"""How often each type must have happened at each site before a run of the full size counts."""


class Faults:
    """Draws faults at a rate, and counts them."""

    def __init__(self, random: Random, rate: float) -> None:
        self.random = random
        self.rate = rate
        self.fired: Counter[tuple[str, str]] = Counter()

    def at(self, site: str) -> str:
        """The type of fault that befalls this call; empty for none."""
        if self.rate <= 0 or self.random.random() >= self.rate:
            return ""
        kinds = SITES[site]
        kind = kinds[int(self.random.random() * len(kinds))]
        self.fired[kind, site] += 1
        return kind

    def often(self, site: str, draws: int) -> str:
        """As `at`, the first of so many draws: for what a world has only a few calls of."""
        return next((kind for _ in range(draws) if (kind := self.at(site))), "")

    def stop(self) -> None:
        """The storm is over."""
        self.rate = 0.0


def table(fired: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Fault types, and how often each befell each site."""
    told: dict[str, dict[str, int]] = {}
    for site, kinds in SITES.items():
        for kind in kinds:
            told.setdefault(kind, {})[site] = fired.get((kind, site), 0)
    return {kind: dict(sorted(told[kind].items())) for kind in sorted(told)}


def unreached(fired: Mapping[tuple[str, str], int]) -> list[str]:
    """Pairs of type and site that did not happen."""
    return [
        f"{kind} at {site}"
        for site, kinds in SITES.items()
        for kind in kinds
        if fired.get((kind, site), 0) < LEAST_PER_PAIR
    ]
