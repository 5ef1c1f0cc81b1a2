"""The ten obligations: each vector its verdict, and the register's part one by one."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from avarez.certificates import jwks, payload
from avarez.certificates.offline.listed import check_listed, read_lists
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord, Reason, Verdict, check_message, check_record, check_text
from avarez.clock import from_rfc3339, to_rfc3339
from tests.data.certificate_vectors import COMPROMISED, JWKS, PATH, SAMPLE, log_of, message_of, rendered

KEYS = jwks.read_keys(JWKS)
DOCUMENT: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
VECTORS: list[dict[str, Any]] = [*DOCUMENT["vectors"], *DOCUMENT["compromise"]]
MESSAGE = message_of(payload.encode(SAMPLE))
IN_FORCE = IssuedRecord(CertificateStatus.IN_FORCE, MESSAGE, "aa")


def test_vectors_are_what_the_code_builds() -> None:
    assert PATH.read_text(encoding="utf-8") == rendered()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector_gets_its_verdict(vector: dict[str, Any]) -> None:
    outcome = check_text(vector["input"], KEYS, log_of(vector))
    verdict = "signature_good" if outcome.signature_good else outcome.verdict.value
    found = (verdict, outcome.reason.value, outcome.obligation)
    assert found == (vector["verdict"], vector["reason"], vector["obligation"])


@pytest.mark.parametrize(
    ("record", "file_sha256", "verdict", "reason", "obligation"),
    [
        (IN_FORCE, None, Verdict.VALID, Reason.IN_FORCE, 10),
        (IN_FORCE, "aa", Verdict.VALID, Reason.IN_FORCE, 10),
        (None, None, Verdict.UNKNOWN, Reason.CERTIFICATE_UNKNOWN, 7),
        (IssuedRecord(CertificateStatus.IN_FORCE, b"x"), None, Verdict.TAMPERED, Reason.MESSAGE_DIFFERS, 8),
        (IN_FORCE, "ab", Verdict.TAMPERED, Reason.FILE_DIFFERS, 9),
        (IssuedRecord(CertificateStatus.REVOKED, MESSAGE), None, Verdict.REVOKED, Reason.REVOKED, 10),
        (IssuedRecord(CertificateStatus.SUPERSEDED, MESSAGE), None, Verdict.SUPERSEDED, Reason.SUPERSEDED, 10),
        (IssuedRecord(CertificateStatus.PREPARING, MESSAGE), None, Verdict.CANNOT_TELL, Reason.IN_PREPARATION, 10),
    ],
)
def test_register_decides_what_the_signature_leaves_open(
    record: IssuedRecord | None, file_sha256: str | None, verdict: Verdict, reason: Reason, obligation: int
) -> None:
    outcome = check_record(check_message(MESSAGE, KEYS), record, file_sha256=file_sha256)
    assert (outcome.verdict, outcome.reason, outcome.obligation) == (verdict, reason, obligation)


def test_a_bad_signature_is_not_saved_by_the_register() -> None:
    bad = check_message(MESSAGE[:-1] + bytes([MESSAGE[-1] ^ 1]), KEYS)
    assert check_record(bad, IN_FORCE).verdict is Verdict.TAMPERED


def test_compromised_key_proves_nothing_even_with_a_record() -> None:
    message = message_of(payload.encode(SAMPLE), COMPROMISED)
    outcome = check_record(check_message(message, KEYS), IssuedRecord(CertificateStatus.IN_FORCE, message))
    assert (outcome.verdict, outcome.reason) == (Verdict.CANNOT_TELL, Reason.KEY_COMPROMISED)


def test_without_keys_nothing_can_be_told() -> None:
    assert check_message(MESSAGE, {}).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("vector", DOCUMENT["listed"], ids=lambda vector: vector["name"])
def test_kept_status_list_decides(vector: dict[str, Any]) -> None:
    tokens = [base64.b64decode(token) for token in vector["lists"]]
    now = from_rfc3339(vector["now"])
    found = check_listed(check_text(vector["input"], KEYS), read_lists(tokens, KEYS, now), now)
    outcome, as_of = found.outcome, found.status_as_of
    told = (outcome.verdict, outcome.reason, outcome.obligation, as_of and to_rfc3339(as_of))
    assert told == (vector["verdict"], vector["reason"], vector["obligation"], vector["status_as_of"])
