"""CBOR, COSE and the link: one spelling each, and nothing else is read."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cwt import COSE, COSEKey
from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.certificates import cbor, cose, jwks, link, payload
from avarez.certificates.verification import check_text
from tests.data.certificate_vectors import ACTIVE, JWKS, ORIGIN, SAMPLE, message_of

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


def test_key_that_is_renamed_or_off_the_curve_is_refused() -> None:
    good = JWKS["keys"][0]
    for changed in ({"kid": "AAAAAAAAAAA"}, {"x": good["y"]}, {"y": good["y"][:-2]}, {"status": "fine"}):
        with pytest.raises(jwks.KeysError):
            jwks.read_keys({"keys": [{**good, **changed}]})
    assert jwks.read_keys({"keys": [{"kty": "RSA"}]}) == {}
