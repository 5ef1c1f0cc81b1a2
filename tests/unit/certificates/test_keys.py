"""Keys as others read them: weak ones are refused, the list of them is signed by the root and by nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

from avarez.certificates import jwks
from avarez.certificates.jwks import KeyStatus, b64url, from_b64url
from avarez.certificates.key_history import LIFETIME, SKEW, HistoryError, read_history, sign_history
from avarez.certificates.weak_keys import FIELD_PRIME, GROUP_ORDER, is_weak_p256
from tests.data.certificate_vectors import ACTIVE, ISSUED_AT, JWKS, STRANGER, TestKey

ROOT = TestKey("root")
ROOTS = jwks.read_keys({"keys": [jwks.published(ROOT.jwk, KeyStatus.ACTIVE)]})
KEYS = [
    jwks.published(ACTIVE.jwk, KeyStatus.COMPROMISED, not_before=ISSUED_AT, compromised_at=ISSUED_AT),
    jwks.published(STRANGER.jwk, KeyStatus.NEXT),
]
TOKEN = sign_history(KEYS, root=ROOT, issuer="https://avarez.example", now=ISSUED_AT)

#: Points of the published key-generation vectors whose private number is small.
#: Source: "Test vectors for the NIST elliptic curves" (multiples k of the generator), curve P-256.
WELL_KNOWN = {
    1: (
        "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296",
        "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
    ),
    2: (
        "7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978",
        "07775510DB8ED040293D9AC69F7430DBBA7DADE63CE982299E04B79D227873D1",
    ),
    20: (
        "83A01A9378395BAB9BCD6A0AD03CC56D56E6B19250465A94A234DC4C6B28DA9A",
        "76E49B6DE2F73234AE6A5EB9D612B75C9F2202BB6923F54FF8240AAA86F640B8",
    ),
}


def jwk_of(x: int, y: int) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": b64url(x.to_bytes(32, "big")), "y": b64url(y.to_bytes(32, "big"))}


@pytest.mark.parametrize("number", WELL_KNOWN)
@pytest.mark.parametrize("negated", [False, True])
def test_key_with_a_small_private_number_is_refused(number: int, *, negated: bool) -> None:
    x, y = (int(text, 16) for text in WELL_KNOWN[number])
    y = FIELD_PRIME - y if negated else y
    with pytest.raises(jwks.KeysError, match="weak"):
        jwks.read_keys({"keys": [jwk_of(x, y)]})
    der = (
        ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(jwks.KeysError, match="weak"):
        jwks.key_from_der(der)


def test_half_of_the_generator_and_regular_points_are_refused() -> None:
    half = ec.derive_private_key((GROUP_ORDER + 1) // 2, ec.SECP256R1()).public_key().public_numbers()
    assert is_weak_p256(half.x, half.y)
    root_of_b = 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4
    for x, y in ((0, root_of_b), (0, FIELD_PRIME - root_of_b)):
        with pytest.raises(jwks.KeysError, match="weak"):
            jwks.read_keys({"keys": [jwk_of(x, y)]})


def test_key_by_chance_is_not_weak() -> None:
    for _ in range(50):
        numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
        assert not is_weak_p256(numbers.x, numbers.y)


@pytest.mark.parametrize(
    ("x", "y"),
    [(0, 0), (1, 1), (FIELD_PRIME, 1), (int(WELL_KNOWN[1][0], 16), int(WELL_KNOWN[2][1], 16))],
    ids=["infinity", "off the curve", "not reduced", "mixed"],
)
def test_point_that_is_none_is_refused(x: int, y: int) -> None:
    with pytest.raises(jwks.KeysError):
        jwks.read_keys({"keys": [jwk_of(x, y)]})


def test_key_says_when_it_signed_and_since_when_it_is_stolen() -> None:
    key = jwks.read_keys({"keys": KEYS})[ACTIVE.kid]
    assert (key.status, key.not_before, key.not_after) == (KeyStatus.COMPROMISED, ISSUED_AT, None)
    assert key.compromised_at == ISSUED_AT
    for spoilt in ("yesterday", "2026-11-24", ""):
        with pytest.raises(jwks.KeysError):
            jwks.read_keys({"keys": [{**KEYS[0], "compromised_at": spoilt}]})


def test_signed_list_of_keys_is_read_back_and_by_another_library() -> None:
    history = read_history(TOKEN, ROOTS, now=ISSUED_AT)
    assert history.document == {"keys": KEYS}
    assert history.keys == jwks.read_keys({"keys": KEYS})
    assert (history.issuer, history.issued_at) == ("https://avarez.example", ISSUED_AT)
    key = ECKey.import_key({name: ROOT.jwk[name] for name in ("kty", "crv", "x", "y")})
    assert json.loads(jws.deserialize_compact(TOKEN, key, algorithms=["ES256"]).payload)["keys"] == KEYS


def spelt(header: dict[str, Any], claims: dict[str, Any], key: TestKey = ROOT) -> str:
    signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{b64url(key.sign(signed.encode()))}"


def claims_of(token: str) -> dict[str, Any]:
    return dict(json.loads(from_b64url(token.split(".")[1])))


HEADER = {"alg": "ES256", "kid": b64url(ROOT.kid), "typ": "jwk-set+jwt"}


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "typ": "JWT"},
        {**HEADER, "jku": "https://elsewhere.example/keys"},
        {**HEADER, "jwk": STRANGER.jwk},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "kid": b64url(STRANGER.kid)},
        {"alg": "ES256", "typ": "jwk-set+jwt"},
    ],
)
def test_token_with_any_other_header_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(HistoryError):
        read_history(spelt(header, claims_of(TOKEN)), ROOTS, now=ISSUED_AT)


@pytest.mark.parametrize("token", ["", "..", "a.b", "a.b.c.d", TOKEN[:-2], TOKEN + "A", "é.é.é", "x" * 200_001])
def test_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(HistoryError):
        read_history(token, ROOTS, now=ISSUED_AT)


def test_list_of_a_stranger_a_changed_list_and_a_weak_key_in_it_are_refused() -> None:
    claims = claims_of(TOKEN)
    changed = TOKEN.replace(TOKEN.split(".")[1], b64url(json.dumps({**claims, "iat": 1}).encode()))
    weak = {**claims, "keys": [jwk_of(*(int(text, 16) for text in WELL_KNOWN[1]))]}
    for token in (spelt(HEADER, claims, STRANGER), changed, spelt(HEADER, weak)):
        with pytest.raises(HistoryError):
            read_history(token, ROOTS, now=ISSUED_AT)


def test_list_from_another_time_is_refused_and_so_is_an_older_one() -> None:
    with pytest.raises(HistoryError, match="time"):
        read_history(TOKEN, ROOTS, now=ISSUED_AT + LIFETIME)
    with pytest.raises(HistoryError, match="time"):
        read_history(TOKEN, ROOTS, now=ISSUED_AT - SKEW - timedelta(seconds=1))
    with pytest.raises(HistoryError, match="later"):
        read_history(TOKEN, ROOTS, now=ISSUED_AT, not_older_than=ISSUED_AT + timedelta(seconds=1))
    assert read_history(TOKEN, ROOTS, now=ISSUED_AT, not_older_than=ISSUED_AT).keys


def test_test_keys_of_the_vectors_are_no_weak_ones() -> None:
    assert len(jwks.read_keys(JWKS)) == 4
