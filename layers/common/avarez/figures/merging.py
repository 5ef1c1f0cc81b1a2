"""Small cells, merged upward: totals stay exact, and nothing is published of fewer than five vehicles. Pure.

The rule, in full (also `docs/open-data.md`):
1. What a city's events since its last step come to is divided into cells, and each cell belongs to one published
   row. No vehicle's part of a step is ever counted into two rows.
2. A vehicle counts for its cell where the amount that it paid is told there and nowhere else: not by what is given
   back to it, not by a duty of which something was ever given back, not by an instalment.
3. A cell in which five vehicles or more count stands. All smaller ones of a figure are joined by what is left
   when first the duty year, then the channel, then the class, then the month's place in its year, then the year is
   no longer told apart; whatever has five vehicles by then stands. Who opened an online payment parts a cell only
   where each part has five vehicles.
4. What is still smaller is one row with as many vehicles as it lacks, of a row of the step that can spare them and
   keeps five: of those the one that has most in common with it, then the largest. Where none can spare so many, it
   goes into the smallest row.
5. Where no row stands to take it, the city takes no step: its figures and its commitment stay as they were.
6. What is owed of a year and is nearly all paid (`avarez.figures.owed.rule`) makes no row: it goes by 4 at once.

Every published number is a sum of rows, of every publication too, since a later one only adds the rows of a new
step. Whoever adds and subtracts multiples of rows is left with five vehicles or more: of the rows that take part,
one of the last step has five that count, and what they paid is in no row before it and in no other of its step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from avarez.figures.cells import (
    MERGED,
    ONLINE,
    ONLINE_OFFICE,
    ONLINE_OWNER,
    SUBJECTS_MIN,
    CellKey,
    Duty,
    Tally,
)

ONLINE_DOORS: Final = frozenset({ONLINE_OWNER, ONLINE_OFFICE})
Coarser = Callable[[CellKey], CellKey]


def _without(*names: str) -> Coarser:
    def coarser(key: CellKey) -> CellKey:
        return key._replace(**{name: MERGED if getattr(key, name) else "" for name in names})

    return coarser


def _without_door(key: CellKey) -> CellKey:
    return key._replace(channel=ONLINE) if key.channel in ONLINE_DOORS else key


def _year_alone(key: CellKey) -> CellKey:
    rest = _without("duty_year", "channel", "vehicle_class", "wait")(key)
    return rest._replace(month=f"{key.month[:4]}-{MERGED}" if key.month[:1].isdigit() else key.month)


LEVELS: Final[tuple[Coarser, ...]] = (
    lambda key: key,
    _without("duty_year"),
    _without("duty_year", "channel"),
    _without("duty_year", "channel", "vehicle_class", "wait"),
    _year_alone,
    _without("duty_year", "channel", "vehicle_class", "wait", "month"),
)


def merged(
    tallies: Mapping[CellKey, Tally],
    *,
    returned: Callable[[Duty], bool] = lambda duty: False,
    closed: Callable[[CellKey], bool] = lambda key: False,
    least: int = SUBJECTS_MIN,
) -> dict[CellKey, tuple[int, int]] | None:
    """The rows of a step, (rial, count) by key; None where the city cannot take one.

    `least` is for the test that attacks the rule. A row's key says what all that is in it have in common. Duties
    that were `returned` do not count, and cells that are `closed` make no row of their own.
    """
    standing: dict[CellKey, Tally] = {}
    cells = [(key, _counting(key, tally, returned)) for key, tally in tallies.items()]
    left = _doors_of_enough([(key, tally) for key, tally in cells if not closed(key)], least)
    shut = [(key, tally) for key, tally in cells if closed(key)]
    for coarser in LEVELS:
        pooled = _pooled(left, coarser)
        left = [(key, tally) for key, tally in pooled if len(tally.subjects) < least]
        for key, tally in pooled:
            if len(tally.subjects) >= least:
                standing.setdefault(key, Tally()).take(tally)
    rest = sorted([*left, *map(_uncounted, shut)], key=lambda cell: cell[0])
    for key, tally in _pooled(rest, LEVELS[-1]):
        if not (_spared(standing, key, tally, least) or _taken_in(standing, key, tally)):
            return None
    return {key: (tally.rial, tally.count) for key, tally in standing.items()}


def added(
    before: Mapping[CellKey, tuple[int, int]], step: Mapping[CellKey, tuple[int, int]]
) -> dict[CellKey, tuple[int, int]]:
    """The rows so far with those of the step: (rial, count) by key, in the order of the keys."""
    after = dict(before)
    for key, (more_rial, more) in step.items():
        rial, count = after.get(key, (0, 0))
        after[key] = (rial + more_rial, count + more)
    return dict(sorted(after.items()))


def _counting(key: CellKey, tally: Tally, returned: Callable[[Duty], bool]) -> Tally:
    """The cell, naming only the vehicles of which nothing was given back."""
    subjects = {name: of for name, of in tally.subjects.items() if not returned((name, key.duty_year))}
    return Tally(tally.rial, tally.count, subjects)


def _uncounted(cell: tuple[CellKey, Tally]) -> tuple[CellKey, Tally]:
    """The cell, naming nobody."""
    key, tally = cell
    return key, Tally(tally.rial, tally.count)


def _pooled(cells: Sequence[tuple[CellKey, Tally]], coarser: Coarser) -> list[tuple[CellKey, Tally]]:
    """The cells that are the same but for what `coarser` takes away, each pool under what is common to it."""
    pools: dict[CellKey, tuple[CellKey, Tally]] = {}
    for key, tally in cells:
        common, pool = pools.get(coarser(key), (key, Tally()))
        pool.take(tally)
        pools[coarser(key)] = _joined(common, key), pool
    return list(pools.values())


def _doors_of_enough(cells: Sequence[tuple[CellKey, Tally]], least: int) -> list[tuple[CellKey, Tally]]:
    """The cells, those of an online channel parted by who opened the payments only where each part is enough."""
    small = {_without_door(key) for key, tally in cells if len(tally.subjects) < least}
    whole = _pooled([of for of in cells if _without_door(of[0]) in small], _without_door)
    return [*(of for of in cells if _without_door(of[0]) not in small), *whole]


def _spared(standing: dict[CellKey, Tally], key: CellKey, tally: Tally, least: int) -> bool:
    """Whether a row can spare the vehicles that the rest lacks, and keeps enough; the rest is a row then."""
    lacks = least - len(tally.subjects)
    others = {
        row: [subject for subject in of.subjects if subject not in tally.subjects][:lacks]
        for row, of in standing.items()
        if row.figure == key.figure and len(of.subjects) >= least + lacks
    }
    can = [row for row, subjects in others.items() if len(subjects) == lacks]
    if not can:
        return False
    donor = min(can, key=lambda row: (-_shared(row, key), -len(standing[row].subjects), row))
    rest = standing[donor].spare(others[donor])
    rest.take(tally)
    standing.setdefault(_joined(donor, key), Tally()).take(rest)
    return True


def _shared(one: CellKey, other: CellKey) -> int:
    """In how many columns both are the same."""
    return sum(mine == theirs for mine, theirs in zip(one, other, strict=True))


def _taken_in(standing: dict[CellKey, Tally], key: CellKey, tally: Tally) -> bool:
    """Whether a row takes the rest in: the one of fewest payments among those that may."""
    may = [other for other in standing if other.figure == key.figure]
    if not may:
        return False
    nearest = min(may, key=lambda other: (standing[other].count, other))
    row = standing.pop(nearest)
    row.take(tally)
    standing.setdefault(_joined(nearest, key), Tally()).take(row)
    return True


def _joined(one: CellKey, other: CellKey) -> CellKey:
    """What both keys share; `merged` where they differ."""
    shared = [mine if mine == theirs else MERGED for mine, theirs in zip(one, other, strict=True)]
    joined = CellKey(*shared)
    if one.channel != other.channel and {one.channel, other.channel} <= {ONLINE, *ONLINE_DOORS}:
        joined = joined._replace(channel=ONLINE)
    if joined.month == MERGED and one.month[:4] == other.month[:4] and one.month[:1].isdigit():
        joined = joined._replace(month=f"{one.month[:4]}-{MERGED}")
    return joined
