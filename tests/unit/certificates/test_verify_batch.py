"""Many certificates in one call: a verdict for every row, in order, with few reads."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from avarez.certificates import link
from avarez.certificates.short_code import printed, short_code
from avarez.errors import ServiceBusy
from functions.identity.groups import GROUP_SCOPES
from functions.verify import batch
from infra import edge_rules
from infra.routes import entry_point
from tests.data.certificate_vectors import ORIGIN
from tests.unit.certificates.test_verify_http import COMPROMISE, ID, MESSAGE, PLATE, Register

LINK = link.to_link(MESSAGE, ORIGIN)


class BatchRegister(Register):
    """The register, which counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.single = self.many = 0

    def find(self, certificate_id: str) -> Any:
        self.single += 1
        return super().find(certificate_id)

    def find_many(self, certificate_ids: Collection[str]) -> dict[str, Any]:
        self.many += 1
        if "records" in self.silent:
            raise ServiceBusy
        return {one: self.records[one] for one in certificate_ids if one in self.records}


@pytest.fixture
def register() -> BatchRegister:
    return BatchRegister()


def judged(register: BatchRegister, *given: dict[str, str]) -> list[dict[str, Any]]:
    rows = batch.Batch.model_validate({"rows": list(given)}).rows
    return batch.judge_rows(rows, register)


def test_every_row_has_its_verdict_in_order(register: BatchRegister) -> None:
    results = judged(
        register,
        {"payload": LINK},
        {"payload": LINK[:-1]},
        {"certificate_id": ID},
        {"certificate_id": "ce_" + "0" * 36},
        {"certificate_id": "nonsense"},
        {"payload": LINK[:-1] + str((int(LINK[-1]) + 1) % 10)},
        {"code": "1234", "plate": PLATE},
    )
    assert [result["row"] for result in results] == [1, 2, 3, 4, 5, 6, 7]
    expected = ["valid", "unreadable", "valid", "unknown", "unreadable", "tampered", "unreadable"]
    assert [result["verdict"] for result in results] == expected
    assert (register.single, register.many) == (0, 1), "records are read together"


def test_plate_is_whole_with_the_paper_and_masked_with_a_number(register: BatchRegister) -> None:
    with_paper, with_number = judged(register, {"payload": LINK}, {"certificate_id": ID})
    assert with_paper["certificate"]["plate"]["key"] == PLATE
    assert "key" not in with_number["certificate"]["plate"]


def test_batch_asks_the_log_about_a_stolen_key(register: BatchRegister) -> None:
    for vector in COMPROMISE:
        if "register" not in vector:
            continue
        register.log = vector["register"]
        (result,) = judged(register, {"payload": vector["input"]})
        if vector["verdict"] != "signature_good":
            assert (result["verdict"], result["reason"]) == (vector["verdict"], vector["reason"])
        else:
            assert result["reason"] in ("in_force", "message_differs"), "the log has no objection"


def test_five_hundred_rows_are_judged_and_no_more(register: BatchRegister) -> None:
    one = {"payload": LINK}
    rows = [one] * batch.ROWS_MAX
    assert len(json.dumps({"rows": rows})) < batch.BODY_BYTES_MAX
    assert edge_rules.body_max_bytes("/v1/verifications") == batch.BODY_BYTES_MAX
    assert {result["verdict"] for result in judged(register, *rows)} == {"valid"}
    for wrong in ([], [*rows, one]):
        with pytest.raises(ValueError, match="rows"):
            batch.Batch.model_validate({"rows": wrong})


def test_short_codes_are_fewer(register: BatchRegister) -> None:
    one = {"code": printed(short_code(ID)), "plate": PLATE}
    assert {result["verdict"] for result in judged(register, *[one] * batch.CODES_MAX)} == {"valid"}
    with pytest.raises(ValueError, match="at most 100 rows with a short code"):
        batch.Batch.model_validate({"rows": [one] * (batch.CODES_MAX + 1)})


@pytest.mark.parametrize(
    "row",
    [{}, {"code": "1234"}, {"plate": PLATE}, {"payload": "1", "certificate_id": ID}, {"payload": "1", "x": "1"}],
)
def test_row_that_shows_nothing_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        batch.Row.model_validate(row)


def test_register_out_of_reach_cannot_tell(register: BatchRegister) -> None:
    register.silent = {"records"}
    results = judged(register, {"payload": LINK}, {"certificate_id": ID}, {"payload": LINK[:-1]})
    expected = ["record_unreachable", "record_unreachable", "text_incomplete"]
    assert [result["reason"] for result in results] == expected


def test_only_verifiers_may() -> None:
    assert [group for group, scopes in GROUP_SCOPES.items() if "certificates.verify" in scopes] == ["verifier"]
    (route,) = entry_point("verify-batch").routes
    assert (route.scope, route.rate_per_s) == ("certificates.verify", 10)
