"""Cases of the order: each event once, whatever was doubled, came early, was lost or is sent again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from avarez_cli.conformance.city import body_of, changed
from avarez_cli.conformance.trial import Case, NotChecked, Trial, early, refused

AT_ONCE: Final = 8
REPLAYED_MAX: Final = 50
NO_HASH: Final = "f" * 64


def _duplicate(trial: Trial) -> str:
    event = trial.city.next(trial.now())
    return trial.must_take(event) or trial.must_take(event)


def _duplicate_at_once(trial: Trial) -> str:
    event = trial.city.next(trial.now())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: trial.deliver(event), range(AT_ONCE)))
    wrong = [trial.taken(seen, "one of eight") for seen in answers]
    return next((words for words in wrong if words), "")


def _out_of_order(trial: Trial) -> str:
    first, second = trial.city.next(trial.now()), trial.city.next(trial.now())
    return early(trial.deliver(second)) or trial.must_take(first) or trial.must_take(second)


def _gap(trial: Trial) -> str:
    """What was missing is sent again, as `POST …/events/replay` has it sent."""
    events = [trial.city.next(trial.now()) for _ in range(4)]
    wrong = early(trial.deliver(events[-1]))
    for event in events:
        wrong = wrong or trial.must_take(event)
    return wrong


def _gap_fetched(trial: Trial) -> str:
    """Twice: that it asks from the later place the second time shows that it took what it fetched."""
    if trial.fetched is None:
        raise NotChecked("--pull-port, and the endpoint's test installation fetching from there")
    earliest = trial.city.after
    for _ in range(2):
        before = trial.city.sequence
        *_, last = [trial.city.next(trial.now()) for _ in range(3)]
        asked_before = trial.fetched.show(last.sequence)
        if wrong := early(trial.deliver(last)):
            return wrong
        if not trial.fetched.waits(range(earliest, before + 1), asked_before, trial.fetched_within_s):
            return f"nothing was fetched after event {before} within {trial.fetched_within_s:.0f} s"
        earliest = last.sequence
    return trial.must_take(trial.city.next(trial.now()))


def _replay(trial: Trial) -> str:
    wrong = ""
    for event in trial.city.events[-REPLAYED_MAX:]:
        wrong = wrong or trial.must_take(event)
    return wrong


def _other_city(trial: Trial) -> str:
    event = trial.city.draft(trial.now())
    name = "TEHRAN" if trial.city.municipality != "TEHRAN" else "MASHHAD"
    return refused(trial.deliver(changed(event, municipality=name)))


def _contradiction(trial: Trial) -> str:
    """Another event, well signed and whole by its own hash, in a place that is taken."""
    placed = trial.city.events[-1]
    return refused(trial.deliver(changed(placed, note_fa="دیگر", event_id=f"{placed.event_id}x")))


def _chain_broken(trial: Trial) -> str:
    event = trial.city.draft(trial.now())
    return refused(trial.deliver(changed(event, previous_hash=NO_HASH)))


def _content_changed(trial: Trial) -> str:
    """An amount is another one, and the hash is that of before."""
    event = trial.city.draft(trial.now())
    entry = {**event.data["entry"], "reference": "OTHER"}
    other = type(event)(event.sequence, {**event.data, "entry": entry})
    return refused(trial.send(body_of(other), trial.headers(body_of(other), message_id=event.event_id)))


def _goes_on(trial: Trial) -> str:
    return trial.must_take(trial.city.next(trial.now()))


def _then(case: Callable[[Trial], str]) -> Callable[[Trial], str]:
    """What was refused must not stand in the way of the true event in its place."""

    def run(trial: Trial) -> str:
        return case(trial) or _goes_on(trial)

    return run


CASES: Final = (
    Case("duplicate", True, "پیام تکراری پذیرفته می‌شود", "a message that comes twice is taken", _duplicate),
    Case("duplicate_at_once", True, "هشت پیام یکسان هم‌زمان", "eight of the same at once are taken",
         _duplicate_at_once),
    Case("out_of_order", True, "پیام زودرس و سپس پیام پیش از آن", "two messages in the wrong order are both taken",
         _out_of_order),
    Case("gap", True, "جامانده‌ها با ارسال دوباره پذیرفته می‌شوند", "what was lost is taken when sent again",
         _gap),
    Case("gap_fetched", True, "جامانده‌ها پس از یک پیام خوانده می‌شوند", "what was lost is fetched after one",
         _gap_fetched),
    Case("replay", True, "ارسال دوبارهٔ همه", "everything sent again is taken", _replay),
    Case("other_city", False, "رویداد شهر دیگر رد می‌شود", "another city's event is refused", _other_city),
    Case("contradiction", False, "رویداد دیگری در همان شماره رد می‌شود", "another event in a place is refused",
         _contradiction),
    Case("chain_broken", False, "رویدادی که دنبالهٔ زنجیره نیست رد می‌شود",
         "an event that does not follow the chain is refused, and the true one taken", _then(_chain_broken)),
    Case("content_changed", False, "رویدادی که با چکیده‌اش نمی‌خواند رد می‌شود",
         "an event that is not what its hash says is refused, and the true one taken", _then(_content_changed)),
)  # fmt: skip
