"""Each gateway's protocol on the running system: page, callback, verification, certificate."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest

from tests.system.conftest import Client, System
from tests.system.journey import FORM, assess, certificate, settled, start_payment
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system


def posted_form(text: str) -> tuple[str, str]:
    """Where a page's form goes, and its fields as a browser sends them."""
    action = re.search(r'<form[^>]*action="([^"]+)"', text)
    assert action is not None, text
    return unescape(action[1]), urlencode(hidden_fields(text))


def hidden_fields(text: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="?hidden"? name="([^"]+)" value="([^"]*)"', text)
    return [(unescape(name), unescape(value)) for name, value in found]


def pay_there(anonymous: Client, address: str) -> None:
    """A payer at the gateway's page, through whatever forms it takes, until our callback has answered."""
    answer = anonymous.get(address)
    if urlsplit(address).path.startswith("/v1/redirects/"):
        action, fields = posted_form(answer.text)
        answer = anonymous.post(action, fields, FORM)
        address = action
    assert answer.status == 200, answer.text
    kept = hidden_fields(answer.text)
    answer = anonymous.post(address, urlencode([*kept, ("result", "paid")]), FORM)
    if answer.status == 303:
        answer = anonymous.get(str(answer.headers["location"]))
    else:
        action, fields = posted_form(answer.text)
        answer = anonymous.post(action, fields, FORM)
    assert answer.status in (200, 303), answer.text


@pytest.mark.parametrize("gateway", ["zarinpal", "zibal", "sep", "sadad", "behpardakht"])
def test_a_duty_is_paid_and_certified_through(system: System, gateway: str) -> None:
    clerk, anonymous = system.client("clerk"), system.client(None)
    quote = assess(clerk, fresh_plate())
    opened = start_payment(clerk, quote, gateway=gateway)
    assert opened.status == 201, opened.text
    pay_there(anonymous, opened.json["redirect_url"])
    paid = settled(system, clerk, opened.json["payment_id"])
    assert paid["gateway"] == gateway
    assert certificate(system, clerk, paid["certificate_id"])["reference"] == paid["reference"]
