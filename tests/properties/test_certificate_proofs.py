"""A check that never lies: forged certificates are refused, genuine ones are not, damaged ones are unreadable.

Full counts under AVAREZ_PROVE, over every processor; `docs/proofs.md` lists both.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from avarez.certificates import cose, jwks, link, payload
from avarez.certificates.verification import Reason, Verdict, check_text
from tests.data.certificate_vectors import ACTIVE, JWKS, ORIGIN, SAMPLE, assembled, message_of
from tests.properties.forged_files import judge_files
from tests.properties.forgeries import KEYS, WAYS, judge_forgeries, judge_genuine

PROVING = "AVAREZ_PROVE" in os.environ
FORGERIES = 1_000_000 if PROVING else 8_000
GENUINE = 100_000 if PROVING else 2_000
FILES = 20_000 if PROVING else 500
CHUNKS = 40 if PROVING else 1
MESSAGE = message_of(payload.encode(SAMPLE))
LINK = link.to_link(MESSAGE, ORIGIN)
DIGITS = link.to_digits(MESSAGE)
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def in_chunks(work: Callable[[str, int], Any], count: int) -> list[Any]:
    """The answers for chunks that add up to `count`, each with a seed of its own."""
    sizes = [count // CHUNKS] * CHUNKS
    seeds = [f"{work.__name__} {number}" for number in range(CHUNKS)]
    if CHUNKS == 1:
        return [work(seeds[0], sizes[0])]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(work, seeds, sizes))


def judged(work: Callable[[str, int], Any], count: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Verdicts by the way of forging, and what was accepted, of all chunks."""
    seen, accepted = Counter[tuple[str, str]](), list[str]()
    for chunk_seen, chunk_accepted in in_chunks(work, count):
        seen.update(chunk_seen)
        accepted += chunk_accepted
    return seen, accepted


@pytest.mark.timeout(3_600)
def test_no_forged_payload_is_accepted() -> None:
    seen, accepted = judged(judge_forgeries, FORGERIES)
    assert accepted == []
    assert seen.total() == FORGERIES
    assert {way for way, _ in seen} == WAYS
    assert {verdict for _, verdict in seen} == {"tampered", "unreadable", "unknown"}
    assert sum(count for (_, verdict), count in seen.items() if verdict == "tampered") > FORGERIES // 4


@pytest.mark.timeout(3_600)
def test_no_genuine_certificate_is_refused() -> None:
    assert [refused for chunk in in_chunks(judge_genuine, GENUINE) for refused in chunk] == []


@pytest.mark.timeout(3_600)
def test_no_changed_file_is_accepted_nor_carries_what_we_did_not_sign() -> None:
    seen, accepted = judged(judge_files, FILES)
    assert accepted == []
    assert seen.total() == FILES
    assert len({way for way, _ in seen}) == 11
    assert {verdict for _, verdict in seen} == {"tampered", "unreadable", "unknown"}


def test_every_part_of_the_link_is_unreadable() -> None:
    shorter = [LINK[:end] for end in range(len(LINK))] + [DIGITS[start:] for start in range(1, len(DIGITS))]
    shorter += [DIGITS[:start] + DIGITS[start + 17 :] for start in range(0, len(DIGITS), 17)]
    assert {check_text(part, KEYS).verdict for part in shorter} == {Verdict.UNREADABLE}


WRAPPED = "\r\n".join(DIGITS[start : start + 76] for start in range(0, len(DIGITS), 76))


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}/v#{WRAPPED}",
        f"{ORIGIN}/v#\n{WRAPPED}\n",
        LINK.upper(),
        LINK.translate(PERSIAN),
        LINK.translate(ARABIC),
        DIGITS[:100] + DIGITS[100:].translate(PERSIAN),
        f"\ufeff\u202a{LINK}\u202c",
        "\u200c".join(DIGITS),
        " ".join(DIGITS[start : start + 4] for start in range(0, len(DIGITS), 4)),
        LINK.replace("/v#", "/v?utm_source=messenger&fbclid=1#"),
        LINK.replace("https://", "intent://"),
        f"{LINK} {LINK}",
        DIGITS.translate({ord("0") + value: chr(0xFF10 + value) for value in range(10)}),
    ],
    ids=[
        "wrapped", "broken after the mark", "upper case", "Persian digits", "Arabic digits", "mixed digits",
        "directional marks", "joiners", "groups of four", "tracking parameters", "another scheme", "twice",
        "full width",
    ],
)  # fmt: skip
def test_link_that_lost_nothing_is_still_good(text: str) -> None:
    assert check_text(text, KEYS).signature_good


@pytest.mark.parametrize(
    "text",
    [
        LINK.replace("#", "%23"),
        LINK.replace("#", "?"),
        LINK.replace("#", ""),
        LINK + "&utm_source=messenger",
        LINK + "#",
        LINK + ".",
        f"<a href=\"{LINK}\">",
        LINK.replace("#", "#%E2%80%8E"),
        DIGITS.encode("ascii").hex(),
        DIGITS.replace("0", "O"),
        DIGITS.translate({ord("1"): "l"}),
        f"{DIGITS[0]}.{DIGITS[1:7]}E+{len(DIGITS) - 1}",
        f"{int(DIGITS):,}",
        str(int(DIGITS[:15])) + "…",
        DIGITS + DIGITS,
        DIGITS.encode("utf-16-le").decode("latin-1"),
        "\ufffd" + DIGITS[1:],
    ],
    ids=[
        "mark escaped", "mark replaced", "mark lost", "parameter at the end", "second mark", "full stop", "markup",
        "escaped direction", "hexadecimal", "letter O", "letter l", "spreadsheet number", "grouped by commas",
        "shortened", "digits twice", "bytes of UTF-16", "replacement character",
    ],
)  # fmt: skip
def test_link_that_lost_something_is_unreadable(text: str) -> None:
    assert check_text(text, KEYS).verdict is Verdict.UNREADABLE


def test_each_forgery_of_the_signature_has_its_verdict() -> None:
    parts = cose.parse(MESSAGE)
    r, s = parts.signature[:32], int.from_bytes(parts.signature[32:], "big")
    order = cose.GROUP_ORDER
    swapped_plate = parts.payload.replace(b"12B345-67", b"12B345-76")
    der = ACTIVE.sign_der(cose.signing_input(parts.protected, parts.payload))
    expected = [
        (swapped_plate, parts.signature, Verdict.TAMPERED),
        (payload.encode(SAMPLE), r + (order - s).to_bytes(32, "big"), Verdict.TAMPERED),
        (parts.payload, r + (s + order).to_bytes(33, "big"), Verdict.UNREADABLE),
        (parts.payload, der, Verdict.UNREADABLE),
        (parts.payload, der.ljust(64, b"\0")[:64], Verdict.TAMPERED),
        (parts.payload, b"", Verdict.UNREADABLE),
        (b"", parts.signature, Verdict.TAMPERED),
        (parts.payload, bytes(64), Verdict.TAMPERED),
    ]
    for body, signature, verdict in expected:
        outcome = check_text(link.to_digits(assembled(parts.protected, body, signature)), KEYS)
        assert outcome.verdict is verdict
        assert outcome.payload is None, "nothing of an unproven certificate is shown"


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (bytes(32), bytes(32)),
        (b"\xff" * 32, b"\xff" * 32),
        (bytes(31) + b"\1", bytes(31) + b"\1"),
        (b"\xff\xff\xff\xff" + bytes(3) + b"\1" + bytes(24), bytes(32)),
    ],
    ids=["origin", "above the field", "off the curve", "other off the curve"],
)
def test_weak_key_is_refused_before_anything_is_checked_with_it(x: bytes, y: bytes) -> None:
    weak = {"kty": "EC", "crv": "P-256", "x": jwks.b64url(x), "y": jwks.b64url(y), "status": "active"}
    with pytest.raises(jwks.KeysError):
        jwks.read_keys({"keys": [*JWKS["keys"], weak]})


def test_keys_of_other_kinds_verify_nothing() -> None:
    others = [
        {**JWKS["keys"][0], "crv": "P-384"},
        {**JWKS["keys"][0], "alg": "ES384"},
        {**JWKS["keys"][0], "alg": "none"},
        {"kty": "oct", "k": "AAAA", "kid": JWKS["keys"][0]["kid"]},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    ]
    outcome = check_text(LINK, jwks.read_keys({"keys": others}))
    assert (outcome.verdict, outcome.reason) == (Verdict.CANNOT_TELL, Reason.KEYS_MISSING)
