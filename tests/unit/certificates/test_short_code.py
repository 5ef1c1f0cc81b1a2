"""The short code: twelve digits that find a mistake of typing, and read in any script."""

from __future__ import annotations

import pytest

from avarez.certificates.short_code import check_digit, printed, read_short_code, short_code
from avarez.digits import persian_digits
from tests.data.certificate_vectors import SAMPLE

CODE = short_code(SAMPLE.certificate_id)


def test_code_comes_from_the_id_alone() -> None:
    assert short_code(SAMPLE.certificate_id) == CODE
    assert short_code("ce_" + "0" * 36) != CODE
    assert (len(CODE), CODE.isdigit()) == (12, True)
    assert printed(CODE).split("-") == [CODE[:4], CODE[4:8], CODE[8:]]


def test_check_digit_is_damms() -> None:
    assert check_digit("572") == 4, "the example of the literature"
    assert check_digit("5724") == 0


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        printed(CODE),
        persian_digits(printed(CODE)),
        " ".join(CODE),
        f"\u200f{CODE[:4]}\u2013{CODE[4:8]}.{CODE[8:]}\n",
        CODE.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    ],
)
def test_code_is_read_in_any_writing(text: str) -> None:
    assert read_short_code(text) == CODE


def test_every_wrong_digit_and_every_swap_is_found() -> None:
    for place, digit in enumerate(CODE):
        for other in set("0123456789") - {digit}:
            assert read_short_code(CODE[:place] + other + CODE[place + 1 :]) is None
    for place in range(len(CODE) - 1):
        swapped = CODE[:place] + CODE[place + 1] + CODE[place] + CODE[place + 2 :]
        assert (read_short_code(swapped) == CODE) is (CODE[place] == CODE[place + 1])


@pytest.mark.parametrize("text", ["", CODE[:-1], CODE + "0", CODE.replace(CODE[0], "x", 1), "1" * 65, "½" * 12])
def test_text_that_is_no_code(text: str) -> None:
    assert read_short_code(text) is None
