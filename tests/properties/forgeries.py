"""Genuine certificates by the thousand, and forgeries of them in every way that a forger has without the key.

Each forgery is drawn from a seeded generator: a failing one is found again by its number.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from avarez.certificates import cbor, cose, jwks, link, payload, status
from avarez.certificates.jwks import KeySet
from avarez.certificates.payload import CertificatePayload, Kind
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord, Verdict
from avarez.ids import new_id
from avarez.plates import LETTER_KEYS
from functions.verify.check import check_shown_text
from tests.data.certificate_vectors import ACTIVE, JWKS, ORIGIN, RETIRED, STRANGER, TestKey, assembled, message_of

KEYS: Final = jwks.read_keys(JWKS)
CITIES: Final = ("TEHRAN", "MASHHAD", "ISFAHAN", "SHIRAZ", "TABRIZ", "GOLUGAH-BEHSHAHR")
NOW: Final = datetime(2026, 11, 27, tzinfo=UTC)
_BEGAN: Final = datetime(2025, 3, 21, tzinfo=UTC)
_ORDER: Final = cose.GROUP_ORDER


def random_payload(draw: random.Random) -> CertificatePayload:
    """Any certificate that an issuer signs now, or signed with the first version."""
    issued_at = _BEGAN + timedelta(seconds=draw.randrange(10**8))
    first = draw.randrange(1380, 1405)
    version = draw.choice((payload.VERSION, payload.VERSION, payload.FIRST_VERSION))
    is_first = version == payload.FIRST_VERSION
    kind = draw.choice((Kind.PAYMENT, Kind.CLEARANCE))
    return CertificatePayload(
        certificate_id=new_id("ce", issued_at, randomness=draw.getrandbits(132)),
        kind=kind,
        municipality=draw.choice(CITIES),
        plate=random_plate(draw),
        years=tuple(year for year in range(first, 1406) if draw.random() < 0.8) or (1405,),
        amount_rial=draw.choice((0, draw.randrange(10**6), draw.randrange(10**10), payload.AMOUNT_MAX_RIAL)),
        paid_on=issued_at.date(),
        issued_at=issued_at,
        vehicle_fingerprint=draw.randbytes(payload.VEHICLE_BYTES[version]),
        trace_prefix=draw.randbytes(payload.TRACE_BYTES[version]),
        status_index=None if is_first else draw.randrange(status.SHARD_PLACES * status.SHARDS_MAX),
        paid_through=draw.randrange(1395, 1406) if kind is Kind.CLEARANCE and not is_first else None,
    )


def random_plate(draw: random.Random) -> str:
    """A car's, a motorcycle's, or a car's without a national plate."""
    shape = draw.random()
    if shape < 0.8:
        letter = draw.choice(LETTER_KEYS)
        return f"{draw.randrange(100):02}{letter}{draw.randrange(1000):03}-{draw.randrange(100):02}"
    if shape < 0.95:
        return f"{draw.randrange(1000):03}-{draw.randrange(100_000):05}"
    return f"X-NAAM01CA{draw.randrange(10**9):09}"


class Forger:
    """Holds some genuine messages and no key of ours; `forge` makes another text of them each time."""

    def __init__(self, seed: str, genuine: int = 64) -> None:
        self._draw = random.Random(seed)
        self.genuine: frozenset[bytes] = frozenset()
        self._messages = [message_of(payload.encode(random_payload(self._draw))) for _ in range(genuine)]
        self._messages += [message_of(payload.encode(random_payload(self._draw)), RETIRED) for _ in range(8)]
        self.genuine = frozenset(self._messages)
        self._ways = (*_OF_BYTES, *_OF_PARTS, *_OF_DIGITS)

    def forge(self) -> tuple[str, str]:
        """The way by its name, and a text that is no genuine certificate."""
        while True:
            way = self._draw.choice(self._ways)
            text = way(self, self._draw.choice(self._messages))
            if text is not None and not self._is_genuine(text):
                return way.__name__.lstrip("_"), text

    def _is_genuine(self, text: str) -> bool:
        try:
            return link.read(text).message in self.genuine
        except link.Unreadable:
            return False

    # --- bytes of the message ---

    def _bit_flipped(self, message: bytes) -> str:
        changed = bytearray(message)
        for _ in range(self._draw.choice((1, 1, 1, 2, 8))):
            changed[self._draw.randrange(len(changed))] ^= 1 << self._draw.randrange(8)
        return link.to_digits(bytes(changed))

    def _byte_set(self, message: bytes) -> str:
        changed = bytearray(message)
        changed[self._draw.randrange(len(changed))] = self._draw.randrange(256)
        return link.to_digits(bytes(changed))

    def _bytes_inserted(self, message: bytes) -> str:
        place = self._draw.randrange(len(message) + 1)
        return link.to_digits(message[:place] + self._draw.randbytes(self._draw.randrange(1, 9)) + message[place:])

    def _bytes_removed(self, message: bytes) -> str:
        place, size = self._draw.randrange(len(message)), self._draw.randrange(1, 9)
        return link.to_digits((message[:place] + message[place + size :]) or b"\0")

    def _bytes_swapped(self, message: bytes) -> str:
        changed = bytearray(message)
        one, other = self._draw.randrange(len(changed)), self._draw.randrange(len(changed))
        changed[one], changed[other] = changed[other], changed[one]
        return link.to_digits(bytes(changed))

    def _two_spliced(self, message: bytes) -> str:
        place = self._draw.randrange(1, len(message))
        return link.to_digits((message[:place] + self._draw.choice(self._messages)[place:]) or b"\0")

    # --- parts of the message ---

    def _other_payload(self, message: bytes) -> str:
        parts = cose.parse(message)
        other = cose.parse(self._draw.choice(self._messages)).payload
        return link.to_digits(assembled(parts.protected, other, parts.signature))

    def _field_changed(self, message: bytes) -> str:
        parts = cose.parse(message)
        content = cbor.decode(parts.payload)
        wished = cbor.decode(payload.encode(random_payload(self._draw)))
        if not isinstance(content, dict) or not isinstance(wished, dict):
            raise TypeError("a payload is a map")
        field = self._draw.choice(sorted(content.keys() & wished.keys() - {1}))  # plate, city, years, amount, …
        body = cbor.encode({**content, field: wished[field]})
        return link.to_digits(assembled(parts.protected, body, parts.signature))

    def _other_key_named(self, message: bytes) -> str:
        parts = cose.parse(message)
        kid = self._draw.choice((*KEYS, STRANGER.kid, self._draw.randbytes(8)))
        return link.to_digits(assembled(cose.protected_header(kid), parts.payload, parts.signature))

    def _signature_respelt(self, message: bytes) -> str:
        parts = cose.parse(message)
        r, s = (int.from_bytes(half, "big") for half in (parts.signature[:32], parts.signature[32:]))
        pairs = (
            (r, _ORDER - s), (_ORDER - r, s), (s, r), (r, s + _ORDER), (r + _ORDER, s), (0, s), (r, 0), (0, 0),
            (_ORDER, s), (r, _ORDER), (1, 1), (r, 1), (1, s), (_ORDER - 1, _ORDER // 2), ((1 << 256) - 1, s),
        )  # fmt: skip
        r, s = self._draw.choice(pairs)
        width = 33 if max(r, s) >> 256 else 32
        return link.to_digits(
            assembled(parts.protected, parts.payload, r.to_bytes(width, "big") + s.to_bytes(width, "big"))
        )

    def _signature_replaced(self, message: bytes) -> str:
        parts = cose.parse(message)
        signed = cose.signing_input(parts.protected, parts.payload)
        choices: tuple[Callable[[], bytes], ...] = (
            lambda: STRANGER.sign(signed),
            lambda: TestKey(self._draw.choice(("", "0", "test", "avarez"))).sign(signed),  # guessed keys
            lambda: STRANGER.sign_der(signed),
            lambda: ACTIVE.sign(parts.payload),  # genuine, over the payload alone
            lambda: ACTIVE.sign(message),
            lambda: self._draw.randbytes(64),
            lambda: self._draw.randbytes(self._draw.choice((0, 1, 32, 63, 65, 70, 96))),
        )
        return link.to_digits(assembled(parts.protected, parts.payload, self._draw.choice(choices)()))

    # --- digits and the link ---

    def _digit_changed(self, message: bytes) -> str:
        digits = list(link.to_digits(message))
        for _ in range(self._draw.choice((1, 1, 2, 5))):
            digits[self._draw.randrange(len(digits))] = self._draw.choice("0123456789۰۱۲۳۴۵۶۷۸۹")
        return "".join(digits)

    def _digits_lost_or_repeated(self, message: bytes) -> str:
        digits = link.to_digits(message)
        start, size = self._draw.randrange(len(digits)), self._draw.choice((1, 2, 17, 34, 50))
        repeated = digits[start : start + size] * self._draw.choice((0, 2))
        return digits[:start] + repeated + digits[start + size :]

    def _groups_swapped(self, message: bytes) -> str:
        digits = link.to_digits(message)
        groups = [digits[start : start + 17] for start in range(0, len(digits) - 17, 17)]
        one, other = self._draw.randrange(len(groups)), self._draw.randrange(len(groups))
        groups[one], groups[other] = groups[other], groups[one]
        return "".join(groups) + digits[17 * len(groups) :]

    def _link_mangled(self, message: bytes) -> str:
        text = link.to_link(message, ORIGIN)
        place = self._draw.randrange(len(text))
        strange = self._draw.choice(
            ("%35", "O", "l", "&", "?", "=", "+", "…", "/", "\0", "½", "⑤", "一", "#", "e")
        )
        return text[:place] + strange + text[place + self._draw.randrange(2) :]


_OF_BYTES = (
    Forger._bit_flipped, Forger._bit_flipped, Forger._byte_set, Forger._bytes_inserted, Forger._bytes_removed,
    Forger._bytes_swapped, Forger._two_spliced,
)  # fmt: skip
_OF_PARTS = (
    Forger._other_payload, Forger._field_changed, Forger._field_changed, Forger._other_key_named,
    Forger._signature_respelt, Forger._signature_replaced,
)  # fmt: skip
_OF_DIGITS = (
    Forger._digit_changed, Forger._digits_lost_or_repeated, Forger._groups_swapped, Forger._link_mangled,
)  # fmt: skip
WAYS: Final = frozenset(way.__name__.lstrip("_") for way in (*_OF_BYTES, *_OF_PARTS, *_OF_DIGITS))


class _TrustsAnyId:
    """A register that would take every id for one in force, so that nothing but the signature can refuse."""

    def find(self, certificate_id: str) -> IssuedRecord:
        return IssuedRecord(CertificateStatus.IN_FORCE)

    def certificate_of_code(self, code: str, plate: str) -> str | None:
        return None

    def keys(self, *, fresh: bool = False) -> KeySet:
        return KEYS

    def logged_before(self, message: bytes, instant: datetime) -> bool:
        return False


def judge_forgeries(seed: str, count: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How often each way met each verdict, and every text that was taken for valid."""
    forger, seen, accepted = Forger(seed), Counter[tuple[str, str]](), list[str]()
    for _ in range(count):
        way, text = forger.forge()
        outcome = check_shown_text(text, issued=_TrustsAnyId(), now=NOW).outcome
        seen[way, outcome.verdict.value] += 1
        if outcome.verdict is Verdict.VALID or outcome.signature_good:
            accepted.append(f"{way}: {text}")
    return seen, accepted


def judge_genuine(seed: str, count: int) -> list[str]:
    """Every genuine certificate that was refused, or read as something else than what was signed."""
    draw, refused = random.Random(seed), list[str]()
    for _ in range(count):
        said = random_payload(draw)
        text = link.to_link(message_of(payload.encode(said), draw.choice((ACTIVE, RETIRED))), ORIGIN)
        outcome = check_shown_text(text, issued=_TrustsAnyId(), now=NOW).outcome
        if outcome.verdict is not Verdict.VALID or outcome.payload != said:
            refused.append(f"{outcome.reason}: {text}")
    return refused
