"""Use cases of a tariff: draft → checked → simulating → simulated → published → superseded, or withdrawn.

An authority is `national` or a municipality's code. A national draft replaces everything but the rows that
municipalities published for themselves; a municipality's draft replaces its own rows and nothing else. What was
checked, simulated and approved is one and the same document, named by its hash; whoever publishes in between makes
it out of date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from avarez.assessment.review import Finding, review
from avarez.assessment.tariff import Tariff, merge
from avarez.assessment.tariff.rows import NATIONAL
from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import InvalidInput, SecondPersonRequired, TariffConflict, TariffInvalid, TariffOutdated
from avarez.ids import new_id
from avarez.municipalities import is_municipality

FILES_MAX: Final = 200
EVENTS_MAX: Final = 500
"""Steps recorded with a draft; a draft that was changed so often is begun anew."""
EDITABLE: Final = ("draft", "checked", "simulating", "simulated")
TRANSITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("draft", "checked", "withdrawn"),
    "checked": ("draft", "checked", "simulating", "withdrawn"),
    "simulating": ("draft", "simulated", "checked", "withdrawn"),
    "simulated": ("draft", "checked", "simulating", "published", "withdrawn"),
    "published": ("superseded",),
    "superseded": (),
    "withdrawn": (),
}

Draft = dict[str, Any]


class Drafts(Protocol):
    """Where drafts, their files and the published versions are kept."""

    def create(self, draft: Draft) -> None: ...

    def move(self, draft: Draft, changes: Mapping[str, Any]) -> bool: ...

    def get(self, authority: str, tariff_id: str) -> Draft | None: ...

    def files(self, draft: Draft) -> dict[str, Any]: ...

    def put_file(self, draft: Draft, name: str, content: Any) -> None: ...

    def put_merged(self, draft: Draft, tariff: Tariff) -> None: ...

    def current(self) -> tuple[str, Tariff] | None: ...

    def publish(self, draft: Draft, changes: Mapping[str, Any], now: datetime) -> bool: ...

    def request_simulation(self, draft: Draft) -> None: ...


def create_draft(
    drafts: Drafts, *, authority: str, title: str, files: Mapping[str, Any], by: str, now: datetime
) -> Draft:
    """A new draft with these files, which may be none yet."""
    draft: Draft = {
        "tariff_id": new_id("ta", now),
        "authority": authority,
        "title": title,
        "status": "draft",
        "revision": 0,
        "files": [],
        "editors": [by],
        "events": [_event("created", by, now)],
        "created_by": by,
        "created_at": to_rfc3339(now),
    }
    for name, content in files.items():
        drafts.put_file(draft, name, content)
    draft["files"] = sorted(files)
    drafts.create(draft)
    return draft


def put_file(drafts: Drafts, draft: Draft, *, name: str, content: Any, by: str, now: datetime) -> Draft:
    """The draft with this file, new or replaced; None takes it out. What was checked before counts no longer.

    Raises:
        TariffConflict: published, superseded or withdrawn, or changed by somebody else at this moment.
        InvalidInput: too many files.
    """
    _demand(draft, EDITABLE)
    names = set(draft["files"])
    if content is None:
        names.discard(name)
    else:
        names.add(name)
        if len(names) > FILES_MAX:
            raise InvalidInput(
                f"A draft has at most {FILES_MAX} files.", f"هر پیش‌نویس حداکثر {FILES_MAX} فایل دارد."
            )
        drafts.put_file(draft, name, content)
    return _moved(
        drafts,
        draft,
        "draft",
        f"file {name} {'removed' if content is None else 'written'}",
        by,
        now,
        files=sorted(names),
        editors=sorted({*draft["editors"], by}),
        merged_version="",
        base_version="",
    )


def check(
    drafts: Drafts, draft: Draft, *, by: str, now: datetime
) -> tuple[Draft, Sequence[Finding] | TariffInvalid]:
    """The draft and everything that keeps it from being published; `checked` if there is nothing.

    Raises:
        TariffConflict: published, superseded or withdrawn, or changed by somebody else at this moment.
    """
    _demand(draft, EDITABLE)
    current = drafts.current()
    base = current[1] if current else None
    try:
        tariff = merged(draft["authority"], drafts.files(draft), base)
    except TariffInvalid as refused:
        unread = _moved(drafts, draft, "draft", f"checked: {len(refused.errors)} faults", by, now,
                        merged_version="", base_version="")  # fmt: skip
        return unread, refused
    if base is not None and tariff.content_hash == base.content_hash:
        findings: Sequence[Finding] = [Finding("unchanged", "")]
    else:
        findings = _reviewed(tariff, base, draft["authority"], now)
    if not findings:
        drafts.put_merged(draft, tariff)
    done = _moved(
        drafts,
        draft,
        "draft" if findings else "checked",
        f"checked: {len(findings)} findings",
        by,
        now,
        merged_version="" if findings else tariff.content_hash,
        base_version="" if findings or not current else current[0],
    )
    return done, findings


def _reviewed(tariff: Tariff, base: Tariff | None, authority: str, now: datetime) -> list[Finding]:
    return review(
        tariff,
        published=base,
        as_of=tehran_today(now),
        is_municipality=is_municipality,
        of_city=None if authority == NATIONAL else authority,
    )


def simulate(drafts: Drafts, draft: Draft, *, by: str, now: datetime, one_in: int) -> Draft:
    """The draft, being simulated on the rolls; the result comes by itself.

    Raises:
        TariffConflict: it is not checked.
        TariffOutdated: another tariff was published since.
    """
    _demand(draft, ("checked", "simulated"))
    _demand_base(drafts, draft)
    done = _moved(drafts, draft, "simulating", "simulation asked", by, now, one_in=one_in)
    drafts.request_simulation(done)
    return done


def approve(drafts: Drafts, draft: Draft, *, by: str, now: datetime) -> Draft:
    """The draft, published: in force for every quote within half a minute. A repetition answers the same.

    Raises:
        SecondPersonRequired: `by` wrote or changed it.
        TariffConflict: it is not simulated, or was changed at this moment.
        TariffOutdated: another tariff was published since it was checked; check it again.
    """
    if draft["status"] == "published" and draft.get("approved_by") == by:
        return draft
    _demand(draft, ("simulated",))
    if by in draft["editors"]:
        raise SecondPersonRequired()
    _demand_base(drafts, draft)
    changes = {
        "status": "published",
        "approved_by": by,
        "published_at": to_rfc3339(now),
        "events": [*draft["events"], _event("approved and published", by, now)],
    }
    if not drafts.publish(draft, changes, now):
        stands = drafts.get(draft["authority"], draft["tariff_id"]) or draft
        if stands["status"] == "published" and stands.get("approved_by") == by:
            return stands
        raise TariffOutdated()
    return {**draft, **changes}


def withdraw(drafts: Drafts, draft: Draft, *, reason: str, by: str, now: datetime) -> Draft:
    """The draft, given up; its files stay for the record.

    Raises:
        TariffConflict: it was published, or withdrawn before.
    """
    _demand(draft, EDITABLE)
    return _moved(drafts, draft, "withdrawn", f"withdrawn: {reason}", by, now)


def merged(authority: str, files: Mapping[str, Any], base: Tariff | None) -> Tariff:
    """The whole tariff as it would be published: the draft's files over what stays of the one in force.

    Raises:
        TariffInvalid: any fault of the files, or of both together.
    """
    document, origins = merge(files)
    if base is not None:
        before = base.document
        if authority == NATIONAL:
            kept = {**document, "rows": [row for row in before["rows"] if _of_one_city(row)]}
            laws = [law for law in before["laws"] if any(row["law"] == law["id"] for row in kept["rows"])]
            own = {law["id"] for law in document["laws"]}
            document["laws"] = [*document["laws"], *(law for law in laws if law["id"] not in own)]
            document["rows"] = [*document["rows"], *kept["rows"]]
        else:
            rows = [row for row in before["rows"] if row.get("places") != [authority]]
            known = {law["id"]: law for law in before["laws"]}
            laws = [law for law in document["laws"] if known.get(law["id"]) != law]
            document = {**before, "laws": [*before["laws"], *laws], "rows": [*rows, *document["rows"]]}
    for name in ("laws", "rows"):
        document[name] = sorted(document[name], key=lambda entry: str(entry.get("id", "")))
    return Tariff(document, origins)


def _of_one_city(row: Mapping[str, Any]) -> bool:
    places = row.get("places")
    return isinstance(places, list) and len(places) == 1


def _demand(draft: Draft, statuses: Sequence[str]) -> None:
    if draft["status"] not in statuses:
        raise TariffConflict(extra={"status": draft["status"], "needed": list(statuses)})


def _demand_base(drafts: Drafts, draft: Draft) -> None:
    current = drafts.current()
    if draft.get("base_version") != (current[0] if current else ""):
        raise TariffOutdated()


def _moved(
    drafts: Drafts, draft: Draft, status: str, did: str, by: str, now: datetime, **changes: Any
) -> Draft:  # fmt: skip
    if len(draft["events"]) >= EVENTS_MAX:
        raise TariffConflict(
            "This draft has been changed too often; begin a new one.",
            "این پیش‌نویس بیش از اندازه تغییر کرده است؛ پیش‌نویس تازه‌ای بسازید.",
        )
    made = {**changes, "status": status, "events": [*draft["events"], _event(did, by, now)]}
    if not drafts.move(draft, made):
        raise TariffConflict()
    return {**draft, **made, "revision": draft["revision"] + 1}


def _event(did: str, by: str, now: datetime) -> dict[str, str]:
    return {"at": to_rfc3339(now), "by": by, "did": did}


def draft_json(draft: Draft) -> dict[str, Any]:
    """The answer's form."""
    shown = ("tariff_id", "authority", "title", "status", "files", "created_by", "created_at", "events")
    optional = ("approved_by", "published_at", "one_in", "simulation")
    return {
        **{name: draft[name] for name in shown},
        **{name: draft[name] for name in optional if draft.get(name) is not None},
        "tariff_version": draft.get("merged_version") or None,
        "base_version": draft.get("base_version") or None,
    }
