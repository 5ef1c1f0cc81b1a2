"""What papers say: amounts in words, foreign text made harmless, emblems that may be printed."""

from __future__ import annotations

import pytest

from functions.certify.document.emblem import CHARACTERS_MAX, emblem_of
from functions.certify.document.texts import plain
from functions.certify.document.words import NUMBER_MAX, number_in_english, number_in_words, years_in_words

SHAPES = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><g fill="#a00"><path d="M0 0h8L4 8z"/></g></svg>'
)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "صفر"),
        (1_000, "هزار"),
        (2_401_000, "دو میلیون و چهارصد و یک هزار"),
        (111_871_000, "صد و یازده میلیون و هشتصد و هفتاد و یک هزار"),
        (1_000_001, "یک میلیون و یک"),
    ],
)
def test_amount_in_words(number: int, words: str) -> None:
    assert number_in_words(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (1_000, "one thousand"),
        (2_401_019, "two million four hundred one thousand nineteen"),
        (111_871_042, "one hundred eleven million eight hundred seventy-one thousand forty-two"),
        (1_000_000_000, "one billion"),
    ],
)
def test_amount_in_english_words(number: int, words: str) -> None:
    assert number_in_english(number) == words


@pytest.mark.parametrize("number", [-1, NUMBER_MAX + 1])
def test_amount_without_words_is_refused(number: int) -> None:
    for spell in (number_in_words, number_in_english):
        with pytest.raises(ValueError, match="no words"):
            spell(number)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<script>alert('x')</script>", "<script>alert('x')</script>"),
        ("(/JavaScript", "(/JavaScript"),
        ("12\u202e34\u2066", "12 34"),
        ("a\x00\x1b\n\tb", "a b"),
        ("شركت ملي", "شرکت ملی"),
        ("漢😀", "??"),
        ("x" * 90, "x" * 77 + "..."),
        ("", ""),
    ],
)
def test_foreign_text_keeps_its_letters_and_loses_what_steers(given: str, shown: str) -> None:
    assert plain(given) == shown


def test_emblem_of_shapes_is_printed() -> None:
    assert emblem_of(f"  {SHAPES}\n") == SHAPES


@pytest.mark.parametrize(
    "svg",
    [
        "",
        "not an image",
        SHAPES.replace("<path", "<script>alert(1)</script><path"),
        SHAPES.replace("<path", '<image href="file:///etc/passwd"/><path'),
        SHAPES.replace("<path", '<use xlink:href="#a"/><path'),
        SHAPES.replace("<path", "<foreignObject/><path"),
        SHAPES.replace("<path", "<text>x</text><path"),
        SHAPES.replace('fill="#a00"', 'fill="url(#g)"'),
        SHAPES.replace('fill="#a00"', 'style="x"'),
        SHAPES.replace("<path", '<path onload="x"'),
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + SHAPES,
        SHAPES.replace("M0", "&a;"),
        SHAPES.replace("M0", "M0 " + "0" * CHARACTERS_MAX),
    ],
)
def test_emblem_that_is_more_than_shapes_is_not_printed(svg: str) -> None:
    assert emblem_of(svg) == ""


def test_years_in_words() -> None:
    assert years_in_words([(1398, 1401), (1403, 1403)]) == "۱۳۹۸ تا ۱۴۰۱ و ۱۴۰۳"
