"""A city's emblem and contact over HTTP: shapes alone, set in type before they are accepted, within the grants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from avarez import keys
from avarez.dynamo import Table
from functions.certify.papers import handler, profile
from functions.certify.stores.quote_store import PageTable
from tests.contract.cities.test_officers import CITY, OTHER, call
from tests.contract.pay_counter import Recorder, granted
from tests.contract.payments.test_payment_store import make_tables

HERE = f"/v1/municipalities/{CITY}/profile"
STAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="#085"/></svg>'
)
CONTACT = {
    "name": "Ali Ahmadi",
    "phone": "+982531234567",
    "email": "darayi@qom.example.ir",
    "address": "Qom, City Hall",
}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    with mock_aws():
        duty, _ = make_tables()
        made = Recorder(duty.dynamodb)
        monkeypatch.setattr(profile, "settings", lambda: Table("duty", made))
        yield made


def test_an_emblem_is_kept_and_printed_and_other_settings_stay(recorder: Recorder) -> None:
    recorder.dynamodb.put_item(
        TableName="duty",
        Item={"pk": {"S": "SETTING"}, "sk": {"S": f"MUNICIPALITY#{CITY}"}, "fee_rial": {"N": "5000"}},
    )
    recorder.used.clear()
    status, told = call("PUT", HERE, {"emblem_svg": STAR, "contact": CONTACT}, function=handler)
    assert (status, told["emblem"], told["contact"]["phone"]) == (200, True, CONTACT["phone"])
    assert recorder.used <= granted("certify-papers")
    item = Table("duty", recorder).get(keys.municipality_setting(CITY)) or {}
    assert (item["fee_rial"], item["emblem_svg"]) == (5000, STAR)
    assert PageTable(Table("duty", recorder)).name(CITY).emblem == STAR
    assert call("PUT", HERE, {"emblem_svg": ""}, function=handler)[1]["emblem"] is False
    assert call("PUT", HERE, {}, function=handler)[1]["contact"]["name"] == CONTACT["name"]


@pytest.mark.parametrize(
    "svg",
    [
        "no svg",
        "<svg></svg>",
        STAR.replace("<circle", "<script>alert(1)</script><circle"),
        STAR.replace("<circle", '<image href="https://example.ir/x.png"/><circle'),
        STAR.replace("<circle", "<text>قم</text><circle"),
        STAR.replace('r="4"', 'r="4" onload="x()"'),
        STAR.replace('r="4"', 'r="4" style="fill:url(#a)"'),
        STAR.replace("/></svg>", "</svg>"),
        STAR.replace('cx="5" cy', 'cx="5"cy'),
        "<!DOCTYPE svg>" + STAR,
    ],
)
def test_what_leads_out_or_cannot_be_set_is_refused(recorder: Recorder, svg: str) -> None:
    status, told = call("PUT", HERE, {"emblem_svg": svg}, function=handler)
    assert (status, told["code"]) == (422, "emblem_refused")
    assert Table("duty", recorder).get(keys.municipality_setting(CITY)) is None


def test_other_refusals(recorder: Recorder) -> None:
    assert call("PUT", HERE, {"emblem_svg": "<svg" + " " * 20_000}, function=handler)[0] == 422
    for wrong in ({"phone": "x"}, {"email": "a b@c"}, {"name": "<b>x</b>"}):
        assert call("PUT", HERE, {"contact": {**CONTACT, **wrong}}, function=handler)[0] == 422
    assert (
        call("PUT", HERE, {"emblem_svg": STAR}, city=OTHER, function=handler)[1]["code"]
        == "municipality_not_found"
    )
    assert call("PUT", HERE, {"emblem_svg": STAR}, group="operator", function=handler)[0] == 403
