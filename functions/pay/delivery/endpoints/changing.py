"""What each step of a guarded change makes of the endpoint that it concerns. Pure.

A change of the address: the candidate is challenged at once, approved only after it answered, and called from the
instant of the change on, to the millisecond; until then everything goes to the address before it, the notice too.
A change of the secret: the new one signs beside the old one from its making on, so the receiver may change over at
any time; what two people decide is when the old one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from avarez.changes.change import Change, Status, Subject
from avarez.dynamo import Item
from avarez.errors import ChallengeOpen, ChangeConflict
from functions.pay.delivery.endpoints.endpoint import Endpoint, settled

URL, GENERATION = "url", "generation"
"""Members of a change's value."""


def endpoint_after(endpoint: Endpoint, change: Change) -> Endpoint:
    """The endpoint after the change's last step.

    Raises:
        ChallengeOpen: the new address has not answered its challenge, so it cannot be approved.
        ChangeConflict: the endpoint is not what the change was proposed for.
    """
    stands = settled(endpoint, change.steps[-1].at)
    match change.subject:
        case Subject.WEBHOOK_URL:
            return _address(stands, change)
        case Subject.WEBHOOK_SECRET:
            return _secret(stands, change)
        case Subject.ACCOUNT | Subject.OFFICER:
            raise ValueError(f"{change.change_id} concerns no endpoint")
        case _:
            assert_never(change.subject)


def _address(endpoint: Endpoint, change: Change) -> Endpoint:
    url = change.value[URL]
    match change.status:
        case Status.PROPOSED:
            return replace(endpoint, candidate_url=url, candidate_proved=False)
        case Status.APPROVED:
            if endpoint.candidate_url != url:
                raise ChangeConflict()
            if not endpoint.candidate_proved:
                raise ChallengeOpen()
            given_up = replace(endpoint, candidate_url="", candidate_proved=False)
            return settled(
                replace(given_up, next_url=url, next_url_from=change.in_force_from), change.steps[-1].at
            )
        case Status.CANCELLED:
            return replace(endpoint, candidate_url="", candidate_proved=False, next_url="", next_url_from=None)
        case Status.IN_FORCE:
            return endpoint
        case _:
            assert_never(change.status)


def _secret(endpoint: Endpoint, change: Change) -> Endpoint:
    generation = int(change.value[GENERATION])
    match change.status:
        case Status.PROPOSED:
            if generation != endpoint.handed_out + 1:
                raise ChangeConflict()
            return replace(endpoint, handed_out=generation, next_generation=generation, next_generation_from=None)
        case Status.APPROVED:
            if generation != endpoint.next_generation:
                raise ChangeConflict()
            return settled(replace(endpoint, next_generation_from=change.in_force_from), change.steps[-1].at)
        case Status.CANCELLED:
            return replace(endpoint, next_generation=0, next_generation_from=None)
        case Status.IN_FORCE:
            return endpoint
        case _:
            assert_never(change.status)


def effects_on(
    find: Callable[[str], Endpoint | None], write: Callable[[Endpoint, Endpoint], Item]
) -> Callable[[Change, Change], Sequence[Item]]:
    """What a step writes besides the change: the endpoint, under the condition that it is still the one read."""

    def effects(before: Change, after: Change) -> Sequence[Item]:
        concerned = after.subject in (Subject.WEBHOOK_URL, Subject.WEBHOOK_SECRET)
        if not concerned or after.status is Status.IN_FORCE:
            return ()  # who reads the endpoint knows by the clock what is in force: see `settled`
        endpoint = find(after.municipality)
        if endpoint is None:
            raise ChangeConflict()
        return [write(endpoint, endpoint_after(endpoint, after))]

    return effects
