"""Use cases of a roll: awaiting_upload → checking → previewed → committed → rolled_back, or failed.

Nothing that is read by anybody changes before commit: rows are written under the roll's version, and the
city's pointer alone makes a version visible.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import RollConflict, RollInUse, RollOutdated
from avarez.ids import new_id
from functions.assess.roll.store import RollStore

CHECK_TIME_MAX: Final = timedelta(hours=2)
"""Three attempts of 15 minutes each, and the staging of five million rows, take less."""
SHOWN_DUTIES_MAX: Final = 100
TRANSITIONS: Final = {
    "awaiting_upload": ("checking", "failed"),
    "checking": ("previewed", "failed"),
    "previewed": ("committed",),
    "committed": ("rolled_back",),
    "failed": (),
    "rolled_back": (),
}

Roll = dict[str, Any]


def create_roll(store: RollStore, *, municipality: str, created_by: str, now: datetime) -> Roll:
    """A new roll that awaits its file."""
    roll: Roll = {
        "roll_id": new_id("ro", now),
        "municipality": municipality,
        "status": "awaiting_upload",
        "version": store.next_version(municipality),
        **dict.fromkeys(("rows_read", "refused", "added", "changed", "unchanged", "chunks_done"), 0),
        "created_by": created_by,
        "created_at": to_rfc3339(now),
    }
    store.create(roll)
    return roll


def finish(store: RollStore, roll: Roll) -> bool:
    """Moves the roll to its preview once every chunk is counted; whoever comes last does it."""
    complete = "attribute_exists(chunks_total) AND chunks_done = chunks_total"
    return store.move(roll, {"status": "previewed"}, "checking", complete)


def observed(store: RollStore, roll: Roll, now: datetime) -> Roll:
    """The roll as it stands; one whose check has died has failed, so that nobody waits for ever."""
    if roll["status"] != "checking" or now - from_rfc3339(roll["checked_at"]) < CHECK_TIME_MAX:
        return roll
    fault = {
        "code": "check_timed_out",
        "detail_en": "The check did not finish. Nothing was changed; upload the file to a new roll.",
        "detail_fa": "بررسی به پایان نرسید. چیزی تغییر نکرده است؛ فایل را در فهرستی تازه بار کنید.",
    }
    store.move(roll, {"status": "failed", "fault": fault}, "checking")
    return store.get(roll["municipality"], roll["roll_id"]) or roll


def commit(store: RollStore, roll: Roll, *, by: str, now: datetime) -> Roll:
    """The roll, committed: its version is visible from now on. A repetition answers the same.

    Raises:
        RollConflict: the roll is not previewed.
        RollOutdated: another roll was committed or taken back after this one was compared.
    """
    if roll["status"] == "committed":
        return roll
    if roll["status"] != "previewed":
        raise RollConflict()
    changes = {"status": "committed", "committed_at": to_rfc3339(now), "committed_by": by}
    if store.show(roll, [*roll["shown_from"], roll["version"]], changes, "previewed"):
        return {**roll, **changes}
    return _after_refusal(store, roll, "committed", RollOutdated)


def rollback(store: RollStore, roll: Roll, *, by: str, now: datetime) -> Roll:
    """The roll, taken back: the city sees what it saw before. A repetition answers the same.

    Raises:
        RollConflict: not committed, or a later roll stands on it.
        RollInUse: duties are paid, or being paid, by quotes that rest on its rows; they are listed.
    """
    if roll["status"] == "rolled_back":
        return roll
    versions = store.versions(roll["municipality"])
    if roll["status"] != "committed" or versions[-1:] != [roll["version"]]:
        raise RollConflict()
    duties = store.duties_resting_on(roll["municipality"], roll["version"], now)
    if duties:
        raise RollInUse(extra={"duties": duties[:SHOWN_DUTIES_MAX], "duties_total": len(duties)})
    changes = {"status": "rolled_back", "rolled_back_at": to_rfc3339(now), "rolled_back_by": by}
    if store.show({**roll, "shown_from": versions}, versions[:-1], changes, "committed"):
        return {**roll, **changes}
    return _after_refusal(store, roll, "rolled_back", RollConflict)


def _after_refusal(store: RollStore, roll: Roll, done: str, otherwise: Callable[[], Exception]) -> Roll:
    """What stands now: the same request done by somebody else is success, anything else is refused."""
    current = store.get(roll["municipality"], roll["roll_id"]) or roll
    if current["status"] == done:
        return current
    if current["status"] != roll["status"]:
        raise RollConflict()
    raise otherwise()


def roll_json(roll: Roll, refused_rows_url: str | None) -> dict[str, Any]:
    """The contract's form of a roll."""
    shown = ("roll_id", "municipality", "status", "rows_read", "added", "changed", "unchanged", "refused")
    optional = (
        "version", "refused_by_code", "created_by", "created_at", "committed_by", "committed_at", "rolled_back_by",
        "rolled_back_at", "fault",
    )  # fmt: skip
    return {
        **{name: roll[name] for name in shown},
        **{name: roll[name] for name in optional if name in roll},
        "progress": {"chunks_done": roll["chunks_done"], "chunks_total": roll.get("chunks_total")},
        "refused_rows_url": refused_rows_url,
    }
