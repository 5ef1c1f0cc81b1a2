"""Builds `certificate_vectors.json`: what the Python code and the browser's code must both answer.

The key is a published test key; signatures are deterministic (RFC 6979), so the file is the same on every run.
`python -m tests.data.certificate_vectors` writes it anew.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from avarez.certificates import cbor, cose, jwks, link, payload, status
from avarez.certificates.offline.listed import check_listed, read_lists
from avarez.certificates.offline.logged import by_proof
from avarez.certificates.payload import CertificatePayload, Kind
from avarez.certificates.status_list import LIST_PATH, STATUS_AGE_MAX, sign_list
from avarez.certificates.verification import LoggedBefore, Outcome, check_text, log_not_seen
from avarez.clock import to_rfc3339
from avarez.ids import new_id
from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, LogKey, sign_checkpoint
from avarez.transparency.proof import LogProof, entry_of

PATH = Path(__file__).with_name("certificate_vectors.json")
ORIGIN = "https://avarez.example"
ISSUED_AT = datetime(2026, 11, 23, 20, 30, 15, tzinfo=UTC)


class TestKey:
    """A Signer whose private key is in this repository: for tests only."""

    __test__ = False

    def __init__(self, name: str) -> None:
        secret = int.from_bytes(sha256(f"avarez test key {name}".encode()).digest(), "big") % cose.GROUP_ORDER
        self._private = ec.derive_private_key(secret, ec.SECP256R1())
        self.der = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.jwk = jwks.key_from_der(self.der)

    @property
    def kid(self) -> bytes:
        return jwks.key_id(self.jwk)

    def sign_der(self, message: bytes) -> bytes:
        return self._private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))

    def sign(self, message: bytes) -> bytes:
        return cose.raw_from_der(self.sign_der(message))


class TestLog:
    """A NoteSigner whose private key is in this repository, and the log that it signs: for tests only."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(f"avarez test log {name}".encode()).digest())
        self.public_key = self._private.public_key().public_bytes_raw()
        self.key = LogKey("avarez.example/.well-known/avarez/log", self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def proof(self, message: bytes, at: datetime, size: int = 5) -> str:
        """The proof file of a message among others, under a checkpoint signed at this time."""
        entries = [entry_of(b"another %d" % number) for number in range(size - 1)]
        entries.insert(size // 2, entry_of(message))
        grown = tiles.grow(0, merkle.EMPTY_ROOT, entries, tiles.nothing)
        path = merkle.inclusion_path(size // 2, size, tiles.TileTree(size, dict(grown.tiles).__getitem__).node_at)
        note = sign_checkpoint(Checkpoint(self.key.origin, size, grown.root), self, at)
        return LogProof(size // 2, tuple(path), note.full_text).text


ACTIVE = TestKey("active")
RETIRED = TestKey("retired")
COMPROMISED = TestKey("compromised")
UNDATED = TestKey("undated")
STRANGER = TestKey("stranger")
LOG = TestLog("log")
OTHER_LOG = TestLog("other")
COMPROMISED_AT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
JWKS = {
    "keys": [
        jwks.published(ACTIVE.jwk, jwks.KeyStatus.ACTIVE),
        jwks.published(RETIRED.jwk, jwks.KeyStatus.RETIRED),
        jwks.published(COMPROMISED.jwk, jwks.KeyStatus.COMPROMISED, compromised_at=COMPROMISED_AT),
        jwks.published(UNDATED.jwk, jwks.KeyStatus.COMPROMISED),
    ]
}
SAMPLE = CertificatePayload(
    certificate_id=new_id("ce", ISSUED_AT, randomness=0x0123456789ABCDEF0123456789ABCDEF),
    kind=Kind.PAYMENT,
    municipality="TEHRAN",
    plate="12B345-67",
    years=(1398, 1399, 1400, 1401, 1403, 1404),
    amount_rial=98_765_000,
    paid_on=date(2026, 11, 24),
    issued_at=ISSUED_AT,
    vehicle_fingerprint=payload.vehicle_fingerprint("ve_sample"),
    trace_prefix=bytes(range(8)),
    status_index=17 * status.SHARD_PLACES + 654_321,
)
FIRST_VERSION = replace(SAMPLE, status_index=None, vehicle_fingerprint=b"vehicle1", trace_prefix=bytes(range(16)))
CLEARANCE = replace(SAMPLE, kind=Kind.CLEARANCE, paid_through=1404, status_index=0)


def message_of(body: bytes, key: TestKey = ACTIVE) -> bytes:
    """A well-formed message over any payload bytes."""
    return cose.sign(body, key)


def assembled(protected: bytes, body: bytes, signature: bytes) -> bytes:
    """A message from parts that `cose.sign` would refuse to put together."""
    return b"\xd2" + cbor.encode([protected, {}, body, signature])


def build() -> dict[str, Any]:
    """The whole document; every expectation is asserted against this code while building."""
    body = payload.encode(SAMPLE)
    good = message_of(body)
    protected = cose.protected_header(ACTIVE.kid)
    signature = cose.parse(good).signature
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    digits = link.to_digits(good)
    other_algorithm = cbor.encode({1: -8, 4: ACTIVE.kid})
    fields: dict[int | str, cbor.CborValue] = cbor.decode(body)  # type: ignore[assignment]
    unplaced = {key: value for key, value in fields.items() if key != 12}

    def signed(changes: dict[int | str, cbor.CborValue]) -> bytes:
        return message_of(cbor.encode({**fields, **changes}))

    flip = bytearray(good)
    flip[good.index(b"TEHRAN")] ^= 1
    swapped_plate = assembled(protected, body.replace(b"12B345-67", b"12B345-68"), signature)
    second = message_of(payload.encode(_other()))
    messages: list[tuple[str, str, str]] = [
        ("good_link", f"{ORIGIN}/v#{digits}", "signature_good"),
        ("good_digits", digits, "signature_good"),
        ("good_fragment", f"#{digits}", "signature_good"),
        (
            "good_persian_digits_and_spaces",
            " \u200f" + digits[:40].translate(_persian()) + "\n " + digits[40:],
            "signature_good",
        ),
        ("good_retired_key", link.to_link(message_of(body, RETIRED), ORIGIN), "signature_good"),
        ("good_one_year", link.to_link(second, ORIGIN), "signature_good"),
        ("good_first_version", link.to_link(message_of(payload.encode(FIRST_VERSION)), ORIGIN), "signature_good"),
        ("good_clearance", link.to_link(message_of(payload.encode(CLEARANCE)), ORIGIN), "signature_good"),
        (
            "good_clearance_without_years",
            link.to_link(message_of(payload.encode(replace(CLEARANCE, years=()))), ORIGIN),
            "signature_good",
        ),
        ("compromised_key", link.to_link(message_of(body, COMPROMISED), ORIGIN), "cannot_tell"),
        ("unknown_key", link.to_link(message_of(body, STRANGER), ORIGIN), "unknown"),
        ("newer_version", link.to_link(signed({1: 3}), ORIGIN), "cannot_tell"),
        ("payload_bit_flipped", link.to_link(bytes(flip), ORIGIN), "tampered"),
        ("plate_swapped", link.to_link(swapped_plate, ORIGIN), "tampered"),
        (
            "payload_of_another_certificate",
            link.to_link(assembled(protected, cose.parse(second).payload, signature), ORIGIN),
            "tampered",
        ),
        (
            "kid_of_another_key",
            link.to_link(assembled(cose.protected_header(RETIRED.kid), body, signature), ORIGIN),
            "tampered",
        ),
        ("signature_zero", link.to_link(assembled(protected, body, bytes(64)), ORIGIN), "tampered"),
        (
            "signature_high_s",
            link.to_link(assembled(protected, body, r + (cose.GROUP_ORDER - s).to_bytes(32, "big")), ORIGIN),
            "tampered",
        ),
        (
            "signature_r_is_order",
            link.to_link(
                assembled(protected, body, cose.GROUP_ORDER.to_bytes(32, "big") + signature[32:]), ORIGIN
            ),
            "tampered",
        ),
        (
            "signature_der",
            link.to_link(assembled(protected, body, ACTIVE.sign_der(cose.signing_input(protected, body))), ORIGIN),
            "unreadable",
        ),
        ("signature_empty", link.to_link(assembled(protected, body, b""), ORIGIN), "unreadable"),
        ("algorithm_eddsa", link.to_link(assembled(other_algorithm, body, signature), ORIGIN), "unreadable"),
        (
            "header_extra_entry",
            link.to_link(assembled(cbor.encode({1: -7, 4: ACTIVE.kid, 5: b""}), body, signature), ORIGIN),
            "unreadable",
        ),
        ("trailing_byte", link.to_link(good + b"\x00", ORIGIN), "unreadable"),
        ("tag_missing", link.to_link(good[1:], ORIGIN), "unreadable"),
        (
            "length_not_shortest",
            link.to_link(good[:1] + b"\x98\x04" + good[2:], ORIGIN),
            "unreadable",
        ),
        ("payload_not_a_map", link.to_link(message_of(cbor.encode([1])), ORIGIN), "unreadable"),
        ("payload_year_out_of_bounds", link.to_link(signed({6: [1400, 101]}), ORIGIN), "unreadable"),
        ("payload_ranges_touch", link.to_link(signed({6: [1400, 2, 1402, 1]}), ORIGIN), "unreadable"),
        ("payload_half_a_range", link.to_link(signed({6: [1400, 2, 1404]}), ORIGIN), "unreadable"),
        ("payload_range_of_nothing", link.to_link(signed({6: [1400, 0]}), ORIGIN), "unreadable"),
        ("payload_ranges_of_the_first_version", link.to_link(signed({6: [[1400, 1401]]}), ORIGIN), "unreadable"),
        ("payload_amount_negative", link.to_link(signed({7: -1}), ORIGIN), "unreadable"),
        ("payload_unknown_field", link.to_link(signed({14: 1}), ORIGIN), "unreadable"),
        ("payload_first_version_with_index", link.to_link(signed({1: 1}), ORIGIN), "unreadable"),
        ("payload_index_missing", link.to_link(message_of(cbor.encode(unplaced)), ORIGIN), "unreadable"),
        ("payload_index_out_of_bounds", link.to_link(signed({12: 1 << 32}), ORIGIN), "unreadable"),
        ("payload_paid_through_of_a_payment", link.to_link(signed({13: 1404}), ORIGIN), "unreadable"),
        ("payload_clearance_through_no_year", link.to_link(signed({3: 2}), ORIGIN), "unreadable"),
        ("payload_without_years", link.to_link(signed({6: []}), ORIGIN), "unreadable"),
        ("digits_last_missing", digits[:-1], "unreadable"),
        ("digits_last_group_missing", digits[: len(digits) // 17 * 17 - 17], "unreadable"),
        ("digits_first_missing", digits[1:], "unreadable"),
        ("group_too_large", "9" * 17 + digits[17:], "unreadable"),
        ("letters", "12ab" + digits, "unreadable"),
        ("empty", "", "unreadable"),
        ("link_without_fragment", f"{ORIGIN}/v", "unreadable"),
        ("too_long", "0" * 5000, "unreadable"),
    ]
    return {
        "about": "Test vectors; the keys are test keys. verdict signature_good: obligations 1-6 hold.",
        "jwks": JWKS,
        "vectors": [_vector(name, text, verdict) for name, text, verdict in messages],
        "log_key": LOG.key.note_key.text,
        "compromise": compromise(),
        "listed": listed(),
        "digits": [
            {"hex": raw.hex(), "digits": link.to_digits(raw)}
            for raw in (b"\x00", b"\xff", b"\x01\x02", b"\xff" * 6, bytes(7), b"\xff" * 7, b"\xff" * 8, good)
        ],
    }


#: What the log's register says before it is asked about this instant, as `LoggedBefore` gives it.
REGISTER: dict[str, bool | None] = {"before": True, "later": None, "absent": False, "silent": None}


def compromise() -> list[dict[str, Any]]:
    """Obligation 6: messages with a proof file or with what the log's register says of them."""
    body, in_time = payload.encode(SAMPLE), COMPROMISED_AT - timedelta(hours=9)
    stolen, undated, good = (message_of(body, key) for key in (COMPROMISED, UNDATED, ACTIVE))
    forged = message_of(payload.encode(replace(SAMPLE, plate="12B345-68")), COMPROMISED)
    proof = LOG.proof(stolen, in_time)
    unsigned = proof.replace(proof.splitlines()[-1] + "\n", "")
    flipped = bytearray(stolen)
    flipped[stolen.index(b"TEHRAN")] ^= 1
    second = timedelta(seconds=1)
    fails, open_ = ("tampered", "not_logged_before_compromise"), ("cannot_tell", "key_compromised")
    holds = ("signature_good", "signature_good_status_not_checked")
    proofs: list[tuple[str, bytes, str, tuple[str, str]]] = [
        ("logged_in_time", stolen, proof, holds),
        ("logged_alone", stolen, LOG.proof(stolen, in_time, size=1), holds),
        ("logged_among_many", stolen, LOG.proof(stolen, in_time, size=300), holds),
        ("logged_a_second_before", stolen, LOG.proof(stolen, COMPROMISED_AT - second), holds),
        ("logged_in_the_same_second", stolen, LOG.proof(stolen, COMPROMISED_AT), open_),
        ("logged_later", stolen, LOG.proof(stolen, COMPROMISED_AT + second), open_),
        ("forged_with_the_proof_of_another", forged, proof, open_),
        ("proof_of_another_log", stolen, OTHER_LOG.proof(stolen, in_time), open_),
        ("proof_without_the_signed_time", stolen, unsigned, open_),
        ("proof_moved", stolen, proof.replace("index 2", "index 3"), open_),
        ("proof_of_more_leaves", stolen, proof.replace("log\n5\n", "log\n6\n"), open_),
        ("proof_cut_off", stolen, proof[:-1], open_),
        ("proof_with_an_unknown_line", stolen, proof.replace("index 2", "extra AAAA\nindex 2"), holds),
        ("proof_empty", stolen, "", open_),
        ("key_stolen_nobody_knows_when", undated, LOG.proof(undated, in_time), open_),
        ("key_not_stolen", good, "no proof", holds),
        ("logged_and_then_changed", bytes(flipped), proof, ("tampered", "signature_bad")),
    ]
    registers = [
        ("register_before", stolen, "before", holds),
        ("register_later", stolen, "later", open_),
        ("register_absent", stolen, "absent", fails),
        ("register_absent_forged", forged, "absent", fails),
        ("register_silent", stolen, "silent", open_),
        ("register_absent_key_not_stolen", good, "absent", holds),
        ("register_absent_nobody_knows_when", undated, "absent", open_),
    ]
    return [
        *(_vector(name, link.to_digits(one), *said, proof=text) for name, one, text, said in proofs),
        *(_vector(name, link.to_digits(one), *said, register=word) for name, one, word, said in registers),
    ]


JUDGED_AT = ISSUED_AT + timedelta(days=3)
STATUS_AT = f"{ORIGIN}{LIST_PATH}"
SHARD, PLACE = divmod(SAMPLE.status_index or 0, status.SHARD_PLACES)


def status_list(value: int, age: timedelta = timedelta(hours=1), key: TestKey = ACTIVE, **changes: Any) -> bytes:
    """A list of SAMPLE's shard that says this of it, issued so long before JUDGED_AT."""
    said: dict[str, Any] = {
        "subject": f"{STATUS_AT}/{SHARD}",
        "places": status.SHARD_PLACES,
        "at": PLACE,
        **changes,
    }
    return sign_list(
        said["subject"],
        {said["at"]: value, 7: 1},
        places=said["places"],
        signer=key,
        now=JUDGED_AT - age,
        lifetime=said.get("lifetime", STATUS_AGE_MAX),
    )


def listed() -> list[dict[str, Any]]:
    """Obligation 10 by signed status lists alone: nothing here has a network."""
    good = message_of(payload.encode(SAMPLE))
    first, stolen = message_of(payload.encode(FIRST_VERSION)), message_of(payload.encode(SAMPLE), COMPROMISED)
    old, week = STATUS_AGE_MAX + timedelta(seconds=1), timedelta(days=7)
    whole: dict[str, Any] = {
        "subject": STATUS_AT,
        "places": (SHARD + 1) * status.SHARD_PLACES,
        "at": SAMPLE.status_index,
    }
    flipped = bytearray(status_list(0))
    flipped[-40] ^= 1
    in_force, not_listed = ("valid", "in_force"), ("cannot_tell", "status_not_listed")
    refused, too_old = ("cannot_tell", "status_list_refused"), ("cannot_tell", "status_too_old")
    revoked, superseded = ("revoked", "revoked"), ("superseded", "superseded")
    cases: list[tuple[str, bytes, list[bytes], tuple[str, str]]] = [
        ("in_force", good, [status_list(0)], in_force),
        ("revoked", good, [status_list(1)], revoked),
        ("suspended_is_revoked", good, [status_list(2)], revoked),
        ("superseded", good, [status_list(3)], superseded),
        ("whole_in_force", good, [status_list(0, **whole)], in_force),
        ("whole_revoked", good, [status_list(1, **whole)], revoked),
        ("by_a_retired_key", good, [status_list(0, key=RETIRED)], in_force),
        ("as_old_as_may_be", good, [status_list(0, STATUS_AGE_MAX, lifetime=week)], in_force),
        ("a_second_older", good, [status_list(0, old, lifetime=week)], too_old),
        ("expired", good, [status_list(0, lifetime=timedelta(minutes=59))], too_old),
        ("revoked_long_ago", good, [status_list(1, week)], revoked),
        ("superseded_long_ago", good, [status_list(3, week)], superseded),
        ("clock_a_little_behind", good, [status_list(0, -timedelta(minutes=4))], in_force),
        ("of_tomorrow", good, [status_list(0, -timedelta(days=1))], refused),
        ("of_another_shard", good, [status_list(0, subject=f"{STATUS_AT}/{SHARD + 1}")], not_listed),
        ("of_another_path", good, [status_list(0, subject=f"{ORIGIN}/status/{SHARD}")], not_listed),
        ("whole_that_is_too_short", good, [status_list(0, **{**whole, "places": 8, "at": 0})], not_listed),
        ("by_a_stolen_key", good, [status_list(0, key=COMPROMISED)], refused),
        ("by_a_stranger", good, [status_list(0, key=STRANGER)], refused),
        ("changed", good, [bytes(flipped)], refused),
        ("cut_off", good, [status_list(0)[:-1]], refused),
        ("no_list", good, [b"no list"], refused),
        ("no_list_at_all", good, [], not_listed),
        ("certificate_itself_as_a_list", good, [good], refused),
        ("certificate_without_a_place", first, [status_list(0)], not_listed),
        ("later_list_decides", good, [status_list(1, timedelta(minutes=1)), status_list(0)], revoked),
        ("refused_beside_a_good_one", good, [b"no list", status_list(0)], in_force),
        ("stolen_key_first", stolen, [status_list(0)], ("cannot_tell", "key_compromised")),
    ]
    return [_listed(name, link.to_digits(one), tokens, said) for name, one, tokens, said in cases]


def _listed(name: str, text: str, tokens: list[bytes], expected: tuple[str, str]) -> dict[str, Any]:
    keys = jwks.read_keys(JWKS)
    found = check_listed(check_text(text, keys), read_lists(tokens, keys, JUDGED_AT), JUDGED_AT)
    if (found.outcome.verdict.value, found.outcome.reason.value) != expected:
        raise AssertionError(f"{name}: {found.outcome.verdict} ({found.outcome.reason}), not {expected}")
    return {
        "name": name,
        "input": text,
        "lists": [b64encode(token).decode() for token in tokens],
        "now": to_rfc3339(JUDGED_AT),
        "verdict": expected[0],
        "reason": expected[1],
        "obligation": found.outcome.obligation,
        "status_as_of": to_rfc3339(found.status_as_of) if found.status_as_of else None,
    }


def log_of(vector: dict[str, Any]) -> LoggedBefore:
    """What the verifier of this vector knows of the log."""
    if "proof" in vector:
        return by_proof(vector["proof"], LOG.key)
    if "register" in vector:
        return lambda message, instant: REGISTER[vector["register"]]
    return log_not_seen


def _other() -> CertificatePayload:
    return CertificatePayload(
        certificate_id=new_id("ce", ISSUED_AT, randomness=1 << 131),
        kind=Kind.PAYMENT,
        municipality="GOLUGAH-BEHSHAHR",
        plate="123-45678",
        years=(1404,),
        amount_rial=0,
        paid_on=date(2026, 3, 21),
        issued_at=ISSUED_AT,
        vehicle_fingerprint=bytes(6),
        trace_prefix=b"\xff" * 8,
        status_index=status.SHARD_PLACES * status.SHARDS_MAX - 1,
    )


def _persian() -> dict[int, str]:
    return str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")  # type: ignore[return-value]


def _vector(name: str, text: str, expected: str, reason: str = "", **known: str) -> dict[str, Any]:
    outcome = check_text(text, jwks.read_keys(JWKS), log_of(known))
    verdict = "signature_good" if outcome.signature_good else outcome.verdict.value
    if verdict != expected or (reason and outcome.reason.value != reason):
        raise AssertionError(f"{name}: {verdict} ({outcome.reason}), not {expected} {reason}")
    vector: dict[str, Any] = {
        "name": name,
        "input": text,
        **known,
        "verdict": verdict,
        "reason": outcome.reason.value,
        "obligation": outcome.obligation,
    }
    if outcome.payload is not None:
        vector["payload"] = fields_of(outcome)
    return vector


def fields_of(outcome: Outcome) -> dict[str, Any]:
    """The payload as JSON, as a page would show it."""
    content = outcome.payload
    if content is None:
        raise AssertionError("no payload")
    return {
        "certificate_id": content.certificate_id,
        "kind": content.kind.text,
        "municipality": content.municipality,
        "plate": content.plate,
        "years": list(content.years),
        "amount_rial": str(content.amount_rial),
        "paid_on": content.paid_on.isoformat(),
        "issued_at": content.issued_at.isoformat().replace("+00:00", "Z"),
        "vehicle_fingerprint": content.vehicle_fingerprint.hex(),
        "trace_prefix": content.trace_prefix.hex(),
        "status_index": content.status_index,
        "paid_through_year": content.paid_through,
    }


def rendered() -> str:
    """The file's text."""
    return json.dumps(build(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(rendered(), encoding="utf-8")
