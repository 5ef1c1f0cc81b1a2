"""The municipalities: codes that are stable, unique and in step with the published list."""

from __future__ import annotations

import re

import pytest

from avarez.municipalities import all_municipalities, find_municipality
from infra import build_municipalities


def test_codes_are_upper_case_ascii_and_unique() -> None:
    codes = [city.code for city in all_municipalities()]
    assert len(codes) == len(set(codes)) == 1324
    assert all(re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", code) for code in codes)
    assert len({city.province for city in all_municipalities()}) == 31


@pytest.mark.parametrize(
    ("code", "name_fa", "province"),
    [
        ("TEHRAN", "تهران", "TEHRAN"), ("MASHHAD", "مشهد", "RAZAVI-KHORASAN"), ("ISFAHAN", "اصفهان", "ISFAHAN"),
        ("SHIRAZ", "شیراز", "FARS"), ("TABRIZ", "تبریز", "EAST-AZERBAIJAN"), ("KARAJ", "کرج", "ALBORZ"),
        ("AHVAZ", "اهواز", "KHUZESTAN"), ("ARAK", "اراک", "MARKAZI"), ("YAZD", "یزد", "YAZD"),
        ("GOLUGAH-BEHSHAHR", "گلوگاه", "MAZANDARAN"), ("ARDAKAN-YAZD", "اردکان", "YAZD"),
        ("BANDAR-ABBAS", "بندرعباس", "HORMOZGAN"), ("QOM", "قم", "QOM"),
    ],
)  # fmt: skip
def test_known_city_has_its_code(code: str, name_fa: str, province: str) -> None:
    city = find_municipality(code)
    assert city is not None
    assert (city.name_fa, city.province) == (name_fa, province)


def test_data_file_is_what_the_build_makes() -> None:
    if not build_municipalities.PACKAGE.exists():
        pytest.skip("node_modules is not installed")
    assert build_municipalities.OUTPUT.read_text("utf-8") == build_municipalities.build()
