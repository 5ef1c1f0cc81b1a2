"""Sums that say of what they are: each unknown amount is a power of a large base, so that a sum's digits are how
often each is in it, a refund's being below nothing. And what an attacker can make of such sums."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

DIGIT_BITS = 10
"""A digit goes from -512 to 511; no row holds an amount so often."""
Line = list[int]
"""How often each unknown is in a sum, in the order of their places."""


def unknown(place: int) -> int:
    """The amount that stands for itself at this place."""
    return 1 << DIGIT_BITS * place


def line_of(rial: int, places: int) -> Line:
    """How often each unknown is in the sum."""
    half, line = 1 << DIGIT_BITS - 1, []
    for _ in range(places):
        digit = (rial + half) % (2 * half) - half
        line.append(digit)
        rial = rial - digit >> DIGIT_BITS
    assert rial == 0
    return line


def eliminated(matrix: Sequence[Line]) -> list[Line]:
    """The reduced row echelon form, in whole numbers: of all that can be made of the lines, the shortest."""
    lines, done = [list(line) for line in matrix], 0
    for column in range(len(matrix[0])):
        pivot = next((place for place in range(done, len(lines)) if lines[place][column]), None)
        if pivot is None:
            continue
        lines[done], lines[pivot] = lines[pivot], lines[done]
        for place, line in enumerate(lines):
            if place != done and line[column]:
                lines[place] = _without(line, lines[done], column)
        done += 1
    return [line for line in lines[:done] if any(line)]


def _without(line: Line, pivot: Line, column: int) -> Line:
    by, of = line[column], pivot[column]
    made = [of * mine - by * theirs for mine, theirs in zip(line, pivot, strict=True)]
    shared = gcd(*made) or 1
    return [value // shared for value in made]


def pared(start: Line, others: Sequence[Line]) -> Line:
    """The line after each of the others was added or taken off, if that leaves fewer unknowns in it."""
    left = start
    for other in others:
        for sign in (-1, 1):
            made = [mine + sign * theirs for mine, theirs in zip(left, other, strict=True)]
            if 0 < _held(made) <= _held(left):
                left = made
                break
    return left


def _held(line: Line) -> int:
    return len(line) - line.count(0)
