"""What a certificate says, as a small map with integer keys; the page and the answers are made from it.

| key | says | form |
|---|---|---|
| 1 | version of this table | 2 |
| 2 | certificate id | the 23 bytes behind `ce_` |
| 3 | kind | 1 payment, 2 clearance |
| 4 | municipality's code | text |
| 5 | plate's key | text |
| 6 | duty years | ranges `[from, how many, from, how many, …]`, Jalali, ascending, not touching |
| 7 | amount paid, rial | integer |
| 8 | date of payment in Tehran | days since 1970-01-01 |
| 9 | time of issue | seconds since 1970-01-01 UTC |
| 10 | vehicle | first 6 bytes of SHA-256 of its stable id |
| 11 | assessment | first 8 bytes of its trace hash |
| 12 | place in the status list | shard * 2**20 + place in the shard |
| 13 | paid through this duty year, in every city | a clearance only |

Version 1 ends with key 11, has 8 and 16 bytes in keys 10 and 11, and ranges as `[[from, to], …]`; what was signed
with it verifies for ever. The number printed on the paper is the id.
No owner stands in it. Years as ranges keep a fleet's oldest car as small as its newest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from typing import Final, assert_never

from avarez.certificates import cbor
from avarez.certificates.status import SHARD_PLACES, SHARDS_MAX
from avarez.ids import id_bytes, id_from_bytes, is_id

VERSION: Final = 2
FIRST_VERSION: Final = 1
ID_BYTES: Final = 23
#: By version. 48 bits confirm a vehicle's id to whoever knows it; 64 bits name one trace of one payment.
VEHICLE_BYTES: Final = {FIRST_VERSION: 8, VERSION: 6}
TRACE_BYTES: Final = {FIRST_VERSION: 16, VERSION: 8}
#: Duty years are Jalali; the first motor vehicle duty and a horizon beyond any certificate bound them.
YEAR_MIN, YEAR_MAX = 1300, 1499
YEAR_RANGES_MAX: Final = 32
#: 10**15 rial: more than any duty, below 2**53, so that browsers read it exactly.
AMOUNT_MAX_RIAL: Final = 10**15
_SECONDS_MAX: Final = 1 << 40
_DAYS_MAX: Final = 200_000  # the year 2517
_EPOCH: Final = date(1970, 1, 1)
_MUNICIPALITY: Final = re.compile(r"[A-Z0-9-]{1,64}")
_PLATE: Final = re.compile(r"[A-Z0-9._/-]{1,48}")


class PayloadError(ValueError):
    """The bytes are no certificate payload."""


class NewerVersion(PayloadError):
    """A payload of a later version than this program knows: it can be genuine all the same."""


class Kind(IntEnum):
    """What a certificate is about; only a clearance says "paid through year Y"."""

    PAYMENT = 1
    CLEARANCE = 2

    @property
    def text(self) -> str:
        """The word used in answers."""
        match self:
            case Kind.PAYMENT:
                return "payment"
            case Kind.CLEARANCE:
                return "clearance"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class CertificatePayload:
    """What is signed. `years` ascend; `issued_at` is aware UTC without fractions of a second.

    Without a `status_index` it is of version 1; `paid_through` is a clearance's, from version 2 on.
    """

    certificate_id: str
    kind: Kind
    municipality: str
    plate: str
    years: tuple[int, ...]
    amount_rial: int
    paid_on: date
    issued_at: datetime
    vehicle_fingerprint: bytes
    trace_prefix: bytes
    status_index: int | None = None
    paid_through: int | None = None

    @property
    def version(self) -> int:
        """The version of the table that it is written by."""
        return FIRST_VERSION if self.status_index is None else VERSION


def vehicle_fingerprint(vehicle_id: str) -> bytes:
    """The bytes that tie a certificate of this version to a vehicle's stable id without telling it."""
    return sha256(vehicle_id.encode()).digest()[: VEHICLE_BYTES[VERSION]]


def encode(payload: CertificatePayload) -> bytes:
    """The payload's deterministic CBOR; `decode` gives an equal payload back.

    Raises: PayloadError when a field is outside its bounds.
    """
    if not is_id("ce", payload.certificate_id):
        raise PayloadError("not a certificate's id")
    if payload.issued_at.tzinfo is None:
        raise PayloadError("the time of issue has no zone")
    fields: dict[int | str, cbor.CborValue] = {
        1: payload.version,
        2: id_bytes(payload.certificate_id),
        3: int(payload.kind),
        4: payload.municipality,
        5: payload.plate,
        6: _ranges(payload),
        7: payload.amount_rial,
        8: (payload.paid_on - _EPOCH).days,
        9: int(payload.issued_at.timestamp()),
        10: payload.vehicle_fingerprint,
        11: payload.trace_prefix,
    }
    if payload.status_index is not None:
        fields[12] = payload.status_index
    if payload.paid_through is not None:
        fields[13] = payload.paid_through
    encoded = cbor.encode(fields)
    decode(encoded)  # the pair of the check on reading: nothing is signed that we would refuse to read
    return encoded


def decode(encoded: bytes) -> CertificatePayload:
    """The payload in `encoded`, each field within its bounds.

    Raises: NewerVersion for a version above ours; PayloadError for anything else amiss.
    """
    try:
        content = cbor.decode(encoded)
    except cbor.CborError as error:
        raise PayloadError(str(error)) from error
    if not isinstance(content, dict):
        raise PayloadError("a payload is a map")
    version = _integer(content.get(1), FIRST_VERSION, 1 << 16)
    if version > VERSION:
        raise NewerVersion(f"version {version}")
    try:
        kind = Kind(_integer(content.get(3), 1, 255))
    except ValueError as error:
        raise PayloadError("an unknown kind") from error
    if set(content) != _keys_of(version, kind):
        raise PayloadError("a field is missing or unknown")
    return _fields(content, kind, version)


def _ranges(payload: CertificatePayload) -> list[cbor.CborValue]:
    ranges = ranges_of(payload.years)
    if payload.version == FIRST_VERSION:
        return [[first, last] for first, last in ranges]
    return [number for first, last in ranges for number in (first, last - first + 1)]


def _keys_of(version: int, kind: Kind) -> set[int]:
    """Exactly the keys that a payload of this version and kind has."""
    if version == FIRST_VERSION:
        return set(range(1, 12))
    return set(range(1, 14 if kind is Kind.CLEARANCE else 13))


def _fields(content: dict[int | str, cbor.CborValue], kind: Kind, version: int) -> CertificatePayload:
    try:
        certificate_id = id_from_bytes("ce", _bytes(content[2], ID_BYTES))
    except ValueError as error:
        raise PayloadError("a malformed id") from error
    is_first = version == FIRST_VERSION
    return CertificatePayload(
        certificate_id=certificate_id,
        kind=kind,
        municipality=_text(content[4], _MUNICIPALITY),
        plate=_text(content[5], _PLATE),
        years=_years_of_pairs(content[6]) if is_first else _years(content[6], kind),
        amount_rial=_integer(content[7], 0, AMOUNT_MAX_RIAL),
        paid_on=_EPOCH + timedelta(days=_integer(content[8], 0, _DAYS_MAX)),
        issued_at=datetime.fromtimestamp(_seconds(content[9]), UTC),
        vehicle_fingerprint=_bytes(content[10], VEHICLE_BYTES[version]),
        trace_prefix=_bytes(content[11], TRACE_BYTES[version]),
        status_index=None if is_first else _integer(content[12], 0, SHARD_PLACES * SHARDS_MAX - 1),
        paid_through=_integer(content[13], YEAR_MIN, YEAR_MAX) if 13 in content else None,
    )


def ranges_of(years: tuple[int, ...]) -> list[tuple[int, int]]:
    """`years` as maximal ranges, ascending: (1400, 1401, 1403) -> [(1400, 1401), (1403, 1403)]."""
    ranges: list[tuple[int, int]] = []
    for year in sorted(set(years)):
        if ranges and ranges[-1][1] == year - 1:
            ranges[-1] = (ranges[-1][0], year)
        else:
            ranges.append((year, year))
    return ranges


def _seconds(value: object) -> int:
    seconds = _integer(value, 0, _SECONDS_MAX)
    if seconds > _DAYS_MAX * 86_400:
        raise PayloadError("the time of issue is out of bounds")
    return seconds


def _years(value: object, kind: Kind) -> tuple[int, ...]:
    """The years of version 2; a clearance of a vehicle that owed nothing yet may name none."""
    if not isinstance(value, list) or len(value) % 2 or not (value or kind is Kind.CLEARANCE):
        raise PayloadError("no years, or half a range of them")
    firsts = [_integer(number, YEAR_MIN, YEAR_MAX) for number in value[::2]]
    lengths = [_integer(number, 1, YEAR_MAX) for number in value[1::2]]
    return _spread([(first, first + length - 1) for first, length in zip(firsts, lengths, strict=True)])


def _years_of_pairs(value: object) -> tuple[int, ...]:
    """The years of version 1."""
    if not isinstance(value, list) or not value:
        raise PayloadError("no years")
    ranges: list[tuple[int, int]] = []
    for entry in value:
        if not isinstance(entry, list) or len(entry) != 2:
            raise PayloadError("a range of years has two ends")
        ranges.append((_integer(entry[0], YEAR_MIN, YEAR_MAX), _integer(entry[1], YEAR_MIN, YEAR_MAX)))
    return _spread(ranges)


def _spread(ranges: list[tuple[int, int]]) -> tuple[int, ...]:
    if len(ranges) > YEAR_RANGES_MAX:
        raise PayloadError("too many ranges of years")
    years: list[int] = []
    for first, last in ranges:
        if not first <= last <= YEAR_MAX or (years and first <= years[-1] + 1):
            raise PayloadError("ranges of years ascend and do not touch")
        years.extend(range(first, last + 1))
    return tuple(years)


def _integer(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PayloadError("a number is missing or out of bounds")
    return value


def _bytes(value: object, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise PayloadError("a byte string is missing or of another size")
    return value


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise PayloadError("a text is missing or malformed")
    return value
