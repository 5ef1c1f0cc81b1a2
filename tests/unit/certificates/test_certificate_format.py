"""A verifier written from `docs/certificate-format.md` alone: nothing of the project's code is imported."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "tests/data/certificate_vectors.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/certificate-format.md").read_text(encoding="utf-8")
LENGTHS = {3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Ends(Exception):
    """The check ends here with this verdict."""


def require(holds: object, verdict: str = "unreadable") -> None:
    if not holds:
        raise Ends(verdict)


def message_of(text: str) -> bytes:
    require(len(text) <= 4096)
    kept = [c for c in text.rpartition("#")[2] if not c.isspace() and unicodedata.category(c) != "Cf"]
    require(kept and all(unicodedata.category(c) == "Nd" for c in kept))
    digits = "".join(str(unicodedata.decimal(c)) for c in kept)
    message = b""
    for start in range(0, len(digits), 17):
        group = digits[start : start + 17]
        size = LENGTHS.get(len(group), 0)
        require(size and int(group) < 256**size)
        message += int(group).to_bytes(size, "big")
    require(len(message) <= 1024)
    return message


def plain_cbor(raw: bytes) -> Any:
    try:
        value = cbor2.loads(raw)
        same = cbor2.dumps(value, canonical=True) == raw
    except Exception as error:
        raise Ends("unreadable") from error
    require(same and is_used(value, 4))
    return value


def is_used(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return depth > 0 and all(is_used(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return depth > 0 and all(type(key) is int and is_used(item, depth - 1) for key, item in value.items())
    return type(value) in (int, bytes, str)


def verify(text: str, keys: list[dict[str, str]], proof: str = "") -> tuple[str, dict[int, Any] | None]:
    """The verdict, and the payload's map once its signature is good."""
    try:
        message = message_of(text)
        require(message[:1] == b"\xd2")
        parts = plain_cbor(message[1:])
        require(isinstance(parts, list) and len(parts) == 4)
        protected, unprotected, payload, signature = parts
        require(all(isinstance(part, bytes) for part in (protected, payload, signature)) and unprotected == {})
        require(len(signature) == 64)
        header = plain_cbor(protected)
        require(isinstance(header, dict) and set(header) == {1, 4} and header[1] == -7)
        require(isinstance(header[4], bytes) and len(header[4]) == 8)
        key = {key_id(jwk): jwk for jwk in keys}.get(header[4])
        require(key is not None, "unknown")
        signed = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
        require(signature_holds(key or {}, signed, signature), "tampered")
        content = checked(plain_cbor(payload))
        if (key or {})["status"] == "compromised":
            require(was_logged(message, proof, (key or {}).get("compromised_at", "")), "cannot_tell")
    except Ends as end:
        return str(end), None
    return "signature_good", content


def was_logged(message: bytes, proof: str, compromised_at: str) -> bool:
    """Whether the proof file shows that the log held the message before its key was compromised."""
    origin, _, encoded = DOCUMENT["log_key"].split("+", 2)
    key = base64.b64decode(encoded)[1:]
    shown = re.fullmatch(
        r"c2sp\.org/tlog-proof@v1\n(?:extra .*\n)?index (\d+)\n((?:.{44}\n){0,64})\n"
        r"((.+)\n(\d+)\n(.{44})\n)\n((?:— .+\n)+)",
        proof,
    )
    if shown is None or not compromised_at or shown[4] != origin:
        return False
    index, size, root = int(shown[1]), int(shown[5]), base64.b64decode(shown[6])
    lines = [line.split(" ") for line in shown[7].splitlines()]
    times = []
    for kind in (b"\x01", b"\x04"):
        ident = hashlib.sha256(origin.encode() + b"\n" + kind + key).digest()[:4]
        found = [base64.b64decode(line[2])[4:] for line in lines if base64.b64decode(line[2])[:4] == ident]
        if not found:
            return False
        seconds = int.from_bytes(found[0][:8], "big") if kind == b"\x04" else 0
        signed = f"cosignature/v1\ntime {seconds}\n{shown[3]}" if seconds else shown[3]
        times.append(seconds)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(found[0][-64:], signed.encode())
        except InvalidSignature:
            return False
    reached, below, last = hashlib.sha256(b"\0" + hashlib.sha256(message).digest()).digest(), index, size - 1
    for sibling in map(base64.b64decode, shown[2].splitlines()):
        if below & 1 or below == last:
            reached = hashlib.sha256(b"\1" + sibling + reached).digest()
            while below and not below & 1:
                below, last = below >> 1, last >> 1
        else:
            reached = hashlib.sha256(b"\1" + reached + sibling).digest()
        below, last = below >> 1, last >> 1
    in_time = times[-1] + 1 <= datetime.fromisoformat(compromised_at).timestamp()
    return index < size and last == 0 and reached == root and in_time


def key_id(jwk: dict[str, str]) -> bytes:
    text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:8]


def signature_holds(jwk: dict[str, str], signed: bytes, signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (1 <= r < ORDER and 1 <= s <= ORDER // 2):
        return False
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "="), "big") for name in ("x", "y"))
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def checked(content: Any) -> dict[int, Any]:
    require(isinstance(content, dict) and type(content.get(1)) is int and 1 <= content[1] <= 65_536)
    require(content[1] <= 2, "cannot_tell")
    first = content[1] == 1
    kind = content.get(3)
    require(set(content) == set(range(1, 12 if first else 14 if kind == 2 else 13)) and kind in (1, 2))
    within = {7: 10**15, 8: 200_000, 9: 17_280_000_000, **({} if first else {12: 2**32 - 1})}
    require(all(type(content[key]) is int and 0 <= content[key] <= most for key, most in within.items()))
    sizes = {2: 23, 10: 8 if first else 6, 11: 16 if first else 8}
    require(all(isinstance(content[key], bytes) and len(content[key]) == size for key, size in sizes.items()))
    require(int.from_bytes(content[2], "big") < 2**180)
    for key, form in ((4, r"[A-Z0-9-]{1,64}"), (5, r"[A-Z0-9._/-]{1,48}")):
        require(isinstance(content[key], str) and re.fullmatch(form, content[key]))
    require(13 not in content or (type(content[13]) is int and 1300 <= content[13] <= 1499))
    years_of(content)
    return dict(content)


def years_of(content: dict[int, Any]) -> list[int]:
    value, first = content[6], content[1] == 1
    require(isinstance(value, list) and (value or (content[3] == 2 and not first)))
    if first:
        require(all(isinstance(pair, list) and len(pair) == 2 for pair in value))
        ranges = value
    else:
        require(len(value) % 2 == 0 and all(type(number) is int and number > 0 for number in value))
        ranges = [[start, start + count - 1] for start, count in zip(value[::2], value[1::2], strict=True)]
    require(len(ranges) <= 32 and all(type(end) is int and 1300 <= end <= 1499 for pair in ranges for end in pair))
    years: list[int] = []
    for start, end in ranges:
        require(start <= end and (not years or start > years[-1] + 1))
        years += range(start, end + 1)
    return years


PROOFS = [vector for vector in DOCUMENT["compromise"] if "proof" in vector]


@pytest.mark.parametrize("vector", [*DOCUMENT["vectors"], *PROOFS], ids=lambda vector: vector["name"])
def test_verifier_from_the_document_agrees(vector: dict[str, Any]) -> None:
    verdict, content = verify(vector["input"], DOCUMENT["jwks"]["keys"], vector.get("proof", ""))
    assert verdict == vector["verdict"]
    if verdict == "signature_good" and content is not None:
        number, characters = int.from_bytes(content[2], "big"), ""
        for _ in range(36):
            number, place = divmod(number, 32)
            characters = ALPHABET[place] + characters
        assert f"ce_{characters}" == vector["payload"]["certificate_id"]
        assert years_of(content) == vector["payload"]["years"]
        assert str(content[7]) == vector["payload"]["amount_rial"]
        assert content[5] == vector["payload"]["plate"]


def test_page_and_verifier_say_the_same_numbers() -> None:
    assert "| digits | " + " | ".join(str(digits) for digits in LENGTHS) + " |" in PAGE
    assert "| bytes | " + " | ".join(str(size) for size in LENGTHS.values()) + " |" in PAGE
    assert f"{ORDER:064x}" in PAGE
    assert ALPHABET in PAGE
    begin = " ".join(f"{byte:02x}" for byte in message_of(DOCUMENT["vectors"][0]["input"])[:8])
    assert f"`{begin}`" in PAGE
