"""CBOR, COSE and the link: one spelling each, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest
import zxingcpp
from cwt import COSE, COSEKey
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.certificates import cbor, cose, jwks, link, payload, status
from avarez.certificates.status import SHARDS_PER_YEAR, draw_index
from avarez.certificates.verification import check_text
from tests.data.certificate_vectors import ACTIVE, CLEARANCE, FIRST_VERSION, JWKS, ORIGIN, SAMPLE, message_of

KEYS = jwks.read_keys(JWKS)
MESSAGE = message_of(payload.encode(SAMPLE))
DIGITS = link.to_digits(MESSAGE)

plain = st.recursive(
    st.integers(0, 2**53 - 1) | st.integers(-(2**31), -1) | st.binary(max_size=80) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 300), inner, max_size=5),
    max_leaves=8,
)


@given(plain)
def test_cbor_is_read_back_and_is_what_another_library_writes(value: Any) -> None:
    encoded = cbor.encode(value)
    assert cbor.decode(encoded) == value
    assert encoded == cbor2.dumps(value, canonical=True)


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_in_one_way(raw: bytes) -> None:
    try:
        value = cbor.decode(raw)
    except cbor.CborError:
        return
    assert cbor.encode(value) == raw, "what is read has one spelling"


def test_message_verifies_with_another_library() -> None:
    x, y = (jwks.from_b64url(ACTIVE.jwk[name]) for name in ("x", "y"))
    key = COSEKey.new({1: 2, 2: ACTIVE.kid, 3: -7, -1: 1, -2: x, -3: y})  # RFC 9053, section 7.1.1
    assert COSE.new().decode(MESSAGE, key) == payload.encode(SAMPLE)


def test_signature_in_the_upper_half_is_lowered_and_refused_when_shown() -> None:
    signature = ACTIVE.sign(b"anything")
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    assert cose.signature_in_range(signature)
    assert not cose.signature_in_range(r + (cose.GROUP_ORDER - s).to_bytes(32, "big"))
    assert cose.raw_from_der(ACTIVE.sign_der(b"anything")) == signature


@pytest.mark.parametrize("content", [SAMPLE, CLEARANCE], ids=["payment", "clearance"])
def test_message_of_one_range_of_years_fits_a_qr_of_version_ten(content: payload.CertificatePayload) -> None:
    message = message_of(payload.encode(replace(content, years=tuple(range(1395, 1406)))))
    symbol = zxingcpp.create_barcode(link.to_link(message, ORIGIN), zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    height, width = symbol.to_image(scale=1, add_quiet_zones=False).shape
    assert (height, width) == (57, 57), "17 + 4 * 10 modules"


@pytest.mark.parametrize("version", [SAMPLE, FIRST_VERSION, CLEARANCE, replace(CLEARANCE, years=())])
def test_payload_of_each_version_is_read_back(version: payload.CertificatePayload) -> None:
    assert payload.decode(payload.encode(version)) == version


def test_place_in_the_status_list_is_drawn_among_the_years_own() -> None:
    first, last = draw_index(1405, lambda _: 0), draw_index(1405, lambda choices: choices - 1)
    assert (first, last) == (0, SHARDS_PER_YEAR * status.SHARD_PLACES - 1)
    assert draw_index(1406, lambda _: 0) == last + 1
    assert draw_index(1399, lambda _: 0) == 0
    with pytest.raises(ValueError, match="no shards"):
        draw_index(1405 + status.SHARDS_MAX // SHARDS_PER_YEAR, lambda _: 0)


@given(st.binary(min_size=1, max_size=300))
def test_link_gives_the_message_back(message: bytes) -> None:
    assert link.from_digits(link.to_digits(message)) == message
    assert link.read(link.to_link(message, ORIGIN)).message == message


@given(st.data())
def test_no_changed_digit_leaves_the_signature_good(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(DIGITS) - 1))
    digit = data.draw(st.sampled_from([other for other in "0123456789" if other != DIGITS[place]]))
    assert not check_text(DIGITS[:place] + digit + DIGITS[place + 1 :], KEYS).signature_good


@given(st.integers(0, len(DIGITS) - 1))
def test_no_part_of_the_digits_is_enough(length: int) -> None:
    assert not check_text(DIGITS[:length], KEYS).signature_good
    assert not check_text(DIGITS[length + 1 :], KEYS).signature_good


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert not check_text(text, KEYS).signature_good


@pytest.mark.parametrize("origin", ["https://avarez.example", "https://avarez.example/"])
def test_link_leads_to_the_verifiers_page(origin: str) -> None:
    assert link.to_link(MESSAGE, origin) == f"https://avarez.example/v#{DIGITS}"
    assert link.read(link.to_link(MESSAGE, origin)).page == "https://avarez.example/v"


@given(st.data())
def test_what_stands_between_the_characters_of_a_link_does_no_harm(data: st.DataObject) -> None:
    whole = link.to_link(MESSAGE, ORIGIN)
    mark = data.draw(st.sampled_from(" \t\n\x1c\x1f\x85\u00a0\u200b\u200e\u2066\ufeff"))
    places = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=9)), reverse=True)
    strewn = whole
    for place in places:
        strewn = strewn[:place] + mark + strewn[place:]
    assert link.read(strewn) == link.read(whole)


def test_key_that_is_renamed_or_off_the_curve_is_refused() -> None:
    good = JWKS["keys"][0]
    for changed in ({"kid": "AAAAAAAAAAA"}, {"x": good["y"]}, {"y": good["y"][:-2]}, {"status": "fine"}):
        with pytest.raises(jwks.KeysError):
            jwks.read_keys({"keys": [{**good, **changed}]})
    assert jwks.read_keys({"keys": [{"kty": "RSA"}]}) == {}
