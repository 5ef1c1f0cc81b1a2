"""The status list's bytes: published vectors, another library, and every way in which a list is not to be used."""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta

import pytest
from cwt import COSE, COSEKey

from avarez.certificates import cbor, cose, jwks
from avarez.certificates.jwks import KeyStatus
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.certificates.status_list import (
    SKEW,
    STATUS_AGE_MAX,
    TYPE,
    StatusListError,
    compress,
    decompress,
    pack,
    read_list,
    sign_list,
    value_at,
)
from tests.data.certificate_vectors import ACTIVE, COMPROMISED, ISSUED_AT, JWKS, STRANGER, TestKey

KEYS = jwks.read_keys(JWKS)
SUBJECT = "https://avarez.example/.well-known/avarez/status/3"
VALUES = {0: 1, 7: 3, SHARD_PLACES - 1: 1}

#: Source: draft-ietf-oauth-status-list, sections 4.1 and 4.2 (examples) and appendix "Test vectors".
SMALL = {1: ("eNrbuRgAAhcBXQ", [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
         2: ("eNo76fITAAPfAgc", [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])}  # fmt: skip
ONE_BIT = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAA"
    "AAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)
TWO_BITS = (
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAA"
    "AAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAA"
    "AAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw"
)
ONE_BIT_SET = (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345)
TWO_BITS_SET = dict(zip(ONE_BIT_SET, (1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3), strict=True))


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(key: TestKey = ACTIVE) -> bytes:
    return sign_list(SUBJECT, VALUES, places=SHARD_PLACES, signer=key, now=ISSUED_AT, lifetime=STATUS_AGE_MAX)


TOKEN = signed()


@pytest.mark.parametrize("bits", SMALL)
def test_small_published_lists_are_read_place_by_place(bits: int) -> None:
    lst, values = SMALL[bits]
    packed = decompress(unpadded(lst), 16)
    assert [value_at(packed, place, bits) for place in range(len(values))] == values


def test_large_published_lists_hold_their_values_and_no_other() -> None:
    one = decompress(unpadded(ONE_BIT), SHARD_PLACES // 8)
    assert {place for place in range(SHARD_PLACES) if value_at(one, place, 1)} == set(ONE_BIT_SET)
    two = decompress(unpadded(TWO_BITS), SHARD_PLACES // 4)
    found = {place: value_at(two, place, 2) for place in range(SHARD_PLACES)}
    assert {place: value for place, value in found.items() if value} == TWO_BITS_SET
    assert pack(TWO_BITS_SET, SHARD_PLACES) == two, "and we write the same bits"


def test_list_is_read_back_and_is_a_cwt_to_another_library() -> None:
    found = read_list(TOKEN, KEYS, now=ISSUED_AT, subject=SUBJECT)
    assert (found.places, found.issued_at) == (SHARD_PLACES, ISSUED_AT)
    ended = {place: found.status(place) for place in (0, 1, 7, SHARD_PLACES - 1)}
    assert ended == {
        0: CertificateStatus.REVOKED,
        1: CertificateStatus.IN_FORCE,
        7: CertificateStatus.SUPERSEDED,
        SHARD_PLACES - 1: CertificateStatus.REVOKED,
    }
    assert (found.status(SHARD_PLACES), found.status(-1)) == (None, None)
    x, y = (jwks.from_b64url(ACTIVE.jwk[name]) for name in ("x", "y"))
    key = COSEKey.new({1: 2, 2: ACTIVE.kid, 3: -7, -1: 1, -2: x, -3: y})
    claims = cbor.decode(COSE.new().decode(TOKEN, key), bytes_max=1 << 20, text_keys=True)
    assert isinstance(claims, dict)
    assert (claims[2], claims[6]) == (SUBJECT, int(ISSUED_AT.timestamp()))


def test_list_is_fresh_for_a_day_and_says_since_when_nothing_can_be_told() -> None:
    found = read_list(TOKEN, KEYS, now=ISSUED_AT)
    assert found.is_fresh(ISSUED_AT + timedelta(hours=25))
    assert not found.is_fresh(ISSUED_AT + STATUS_AGE_MAX)
    assert not found.is_fresh(ISSUED_AT + timedelta(hours=2), age_max=timedelta(hours=1))


def test_older_list_and_another_shards_list_are_refused() -> None:
    later = sign_list(
        SUBJECT,
        {},
        places=SHARD_PLACES,
        signer=ACTIVE,
        now=ISSUED_AT + timedelta(seconds=1),
        lifetime=STATUS_AGE_MAX,
    )
    seen = read_list(later, KEYS, now=ISSUED_AT).issued_at
    with pytest.raises(StatusListError, match="later list"):
        read_list(TOKEN, KEYS, now=ISSUED_AT, not_older_than=seen)
    assert read_list(later, KEYS, now=ISSUED_AT, not_older_than=seen)
    with pytest.raises(StatusListError, match="other certificates"):
        read_list(TOKEN, KEYS, now=ISSUED_AT, subject=SUBJECT[:-1] + "4")
    with pytest.raises(StatusListError, match="this time"):
        read_list(TOKEN, KEYS, now=ISSUED_AT - SKEW - timedelta(seconds=1))


@pytest.mark.parametrize("key", [STRANGER, COMPROMISED], ids=["stranger", "compromised"])
def test_list_of_a_stranger_or_a_stolen_key_is_refused(key: TestKey) -> None:
    with pytest.raises(StatusListError, match="trusted"):
        read_list(signed(key), KEYS, now=ISSUED_AT)


def test_certificate_is_no_list_and_a_list_is_no_certificate() -> None:
    with pytest.raises(StatusListError):
        read_list(cose.sign(b"\xa0", ACTIVE), KEYS, now=ISSUED_AT)
    with pytest.raises(cose.CoseError):
        cose.parse(TOKEN)


def test_no_changed_or_missing_byte_is_taken() -> None:
    for place in range(0, len(TOKEN), 7):
        changed = bytearray(TOKEN)
        changed[place] ^= 1
        for broken in (bytes(changed), TOKEN[:place], TOKEN + b"\x00"):
            with pytest.raises(StatusListError):
                read_list(broken, KEYS, now=ISSUED_AT)


@pytest.mark.parametrize(
    "claims",
    [
        {2: SUBJECT, 4: 1, 6: 0, 65533: {"bits": 1, "lst": compress(b"")}, 65534: 30},
        {2: SUBJECT, 4: 1, 6: 0, 65533: {"bits": 2, "lst": b"no"}, 65534: 30},
        {2: SUBJECT, 4: 1, 6: 0, 65533: {"bits": 2, "lst": compress(b"\0" * 8)[:-1]}, 65534: 30},
        {2: SUBJECT, 4: 1, 6: -1, 65533: {"bits": 2, "lst": compress(b"")}, 65534: 30},
        {2: SUBJECT, 6: 0, 65533: {"bits": 2, "lst": compress(b"")}},
        [1],
    ],
)
def test_signed_claims_of_another_form_are_refused(claims: cbor.CborValue) -> None:
    protected = cbor.encode({1: -7, 4: ACTIVE.kid, 16: TYPE})
    payload = cbor.encode(claims)
    signature = ACTIVE.sign(cose.signing_input(protected, payload))
    with pytest.raises(StatusListError):
        read_list(b"\xd2" + cbor.encode([protected, {}, payload, signature]), KEYS, now=ISSUED_AT)


def test_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(1 << 22), 9)
    with pytest.raises(StatusListError, match="too long"):
        decompress(bomb, 1 << 20)


def test_list_of_a_retired_key_is_good_still() -> None:
    retired = {"keys": [jwks.published(ACTIVE.jwk, KeyStatus.RETIRED)]}
    assert read_list(TOKEN, jwks.read_keys(retired), now=ISSUED_AT).places == SHARD_PLACES
