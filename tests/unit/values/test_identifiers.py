"""Identifiers: sums worked by hand, and what each refuses."""

from __future__ import annotations

import pytest

from avarez.identifiers import (
    read_legal_id,
    read_mobile,
    read_national_id,
    read_postal_code,
    read_sheba,
    read_stamped_number,
    read_vin,
)


def test_read_national_id_worked_by_hand() -> None:
    # 0012345679: 0*10+0*9+1*8+2*7+3*6+4*5+5*4+6*3+7*2 = 112; 112 mod 11 = 2; 11 - 2 = 9.
    assert read_national_id("0012345679") == "0012345679"
    assert read_national_id(" ۰۰۱۲۳۴۵۶۷۹ ") == "0012345679"
    assert read_national_id("001-234567-9") == "0012345679"


@pytest.mark.parametrize(
    "text", ["0012345678", "012345679", "12345679", "1111111111", "00123456790", "001234567a", "", "²" * 10]
)
def test_read_national_id_of_none_is_none(text: str) -> None:
    assert read_national_id(text) is None


def test_read_legal_id_worked_by_hand() -> None:
    # 14007650912: k = 1 + 2 = 3; (1+3)29 + (4+3)27 + (0+3)23 + (0+3)19 + (7+3)17
    #   + (6+3)29 + (5+3)27 + (0+3)23 + (9+3)19 + (1+3)17 = 1443; 1443 mod 11 = 2.
    assert read_legal_id("14007650912") == "14007650912"
    assert read_legal_id("۱۴۰۰۷۶۵۰۹۱۲") == "14007650912"
    for wrong in ("14007650913", "1400765091", "00000000000", "1400765091x"):
        assert read_legal_id(wrong) is None


def test_read_sheba_checks_mod_97() -> None:
    # The example of the IBAN registry for Iran (SWIFT, ISO 13616).
    assert read_sheba("IR58 0540 1051 8002 1273 1130 07") == "IR580540105180021273113007"
    assert read_sheba("ir۵۸۰۵۴۰۱۰۵۱۸۰۰۲۱۲۷۳۱۱۳۰۰۷") == "IR580540105180021273113007"
    for wrong in (
        "IR590540105180021273113007",
        "580540105180021273113007",
        "IR58054010518002127311300",
        "DE" * 13,
    ):
        assert read_sheba(wrong) is None


def test_read_postal_code_does_not_start_with_0() -> None:
    assert read_postal_code("۱۹۶۹۸-۳۳۱۱۴") == "1969833114"
    assert read_postal_code("0969833114") is None
    assert read_postal_code("196983311") is None


def test_read_mobile_takes_the_country_code() -> None:
    for text in ("09121234567", "+98 912 123 4567", "00989121234567", "۰۹۱۲-۱۲۳-۴۵۶۷"):
        assert read_mobile(text) == "09121234567"
    for wrong in ("9121234567", "0912123456", "02112345678"):
        assert read_mobile(wrong) is None


def test_read_vin_takes_domestic_numbers_that_iso_3779_forbids() -> None:
    assert read_vin("irzj4816cywcxymm2") == "IRZJ4816CYWCXYMM2"
    assert read_vin("NAR1P6GOQWGRG7P2L") == "NAR1P6GOQWGRG7P2L"
    for wrong in ("IRZJ4816CYWCXYMM", "IRZJ4816CYWCXYMM22", "IRZJ4816CYWCXYMMی", ""):
        assert read_vin(wrong) is None


def test_read_stamped_number_leaves_separators_out() -> None:
    assert read_stamped_number("*99df-2c 79*") == "99DF2C79"
    assert read_stamped_number("۸۴۱۳۷۱۵۲۲") == "841371522"
    for wrong in ("", "-*-", "A1", "A" * 33, "A" * 200):
        assert read_stamped_number(wrong) is None
