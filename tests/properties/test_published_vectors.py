"""Vectors that others published for the signature scheme and its envelope: every answer is theirs.

`tests/data/published/` says where each comes from and under which licence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from avarez.certificates import cose
from avarez.certificates.jwks import from_b64url
from avarez.certificates.verification import Verdict, check_message
from tests.properties.forgeries import KEYS

FOLDER = Path(__file__).resolve().parents[1] / "data" / "published"
WYCHEPROOF: list[dict[str, Any]] = json.loads(
    (FOLDER / "wycheproof_ecdsa_p256_sha256_p1363.json").read_text(encoding="utf-8")
)["groups"]
EXAMPLES: list[dict[str, Any]] = json.loads((FOLDER / "cose_sign1_examples.json").read_text(encoding="utf-8"))[
    "examples"
]
#: FIPS 186-4 key and signatures of RFC 6979, section A.2.5, P-256 with SHA-256.
RFC_6979_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_6979 = {
    b"sample": (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    ),
    b"test": (
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
    ),
}


def public_key(x: int, y: int) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def lowered(signature: bytes) -> bytes:
    """The twin of a signature with s in the lower half, which is the only one that certificates use."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, cose.GROUP_ORDER - s).to_bytes(32, "big")


@pytest.mark.parametrize("group", WYCHEPROOF, ids=lambda group: group["x"][-8:])
def test_wycheproof(group: dict[str, Any]) -> None:
    key = public_key(int(group["x"], 16), int(group["y"], 16))
    for case in group["tests"]:
        signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
        valid = case["result"] == "valid"
        if valid and lowered(signature) != signature:  # a genuine one in its other spelling, which we refuse
            assert not cose.signature_holds(signature, message, key), case
            signature = lowered(signature)
        assert cose.signature_holds(signature, message, key) is valid, case


def test_wycheproof_is_whole() -> None:
    cases = [case for group in WYCHEPROOF for case in group["tests"]]
    assert len(cases) == 262
    assert len([case for case in cases if case["result"] == "invalid"]) > 50


@pytest.mark.parametrize("message", list(RFC_6979), ids=["sample", "test"])
def test_rfc_6979(message: bytes) -> None:
    key = ec.derive_private_key(RFC_6979_KEY, ec.SECP256R1()).public_key()
    signature = bytes.fromhex(RFC_6979[message])
    assert cose.signature_holds(lowered(signature), message, key)
    assert not cose.signature_holds(lowered(signature), message + b" ", key)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: Path(example["file"]).stem)
def test_cose_example_is_none_of_our_spelling(example: dict[str, Any]) -> None:
    assert check_message(bytes.fromhex(example["message"]), KEYS).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if not example["external"] and not example["fail"]],
    ids=lambda example: Path(example["file"]).stem,
)
def test_cose_example_is_signed_over_what_we_would_sign(example: dict[str, Any]) -> None:
    protected, payload, signature = parts_of(bytes.fromhex(example["message"]))
    if protected == b"\xa0":
        protected = b""  # an empty map is signed as no bytes at all: RFC 9052, section 4.4, step 1
    signed = cose.signing_input(protected, payload)
    assert signed.hex() == example["to_be_signed"]
    assert cose.signature_holds(lowered(signature), signed, key_of(example))


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example["fail"]], ids=lambda example: Path(example["file"]).stem
)
def test_cose_example_that_must_fail_does(example: dict[str, Any]) -> None:
    message = bytes.fromhex(example["message"])
    if message[:1] != b"\xd2":
        return  # "Wrong CBOR Tag", for which the test above stands
    protected, payload, signature = parts_of(message)
    assert not cose.signature_holds(lowered(signature), cose.signing_input(protected, payload), key_of(example))


def key_of(example: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    return public_key(*(int.from_bytes(from_b64url(example[name]), "big") for name in ("x", "y")))


def parts_of(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature, by another library's reading."""
    import cbor2

    value = cbor2.loads(message)
    protected, _, payload, signature = value.value if isinstance(value, cbor2.CBORTag) else value
    return protected, payload, signature
