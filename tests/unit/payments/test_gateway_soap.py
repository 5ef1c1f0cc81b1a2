"""What is taken from a SOAP answer, and what is refused before it is parsed."""

from __future__ import annotations

import pytest

from avarez.errors import OutcomeUnknown
from functions.pay.gateways import soap

NAMESPACE = "http://interfaces.core.sw.bps.com/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ANSWER = (
    f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><n:callResponse xmlns:n="{NAMESPACE}">'
    "<return>0,AF82041a2Bf6989c7fF9</return></n:callResponse></S:Body></S:Envelope>"
)


def read(text: str | bytes) -> str:
    return soap.returned(text if isinstance(text, bytes) else text.encode(), NAMESPACE, "call")


@pytest.mark.parametrize("head", ["", '<?xml version="1.0" encoding="UTF-8"?>', "<!-- a remark -->"])
def test_answer_is_read_whatever_prefixes_and_heads_it_has(head: str) -> None:
    assert read(head + ANSWER) == "0,AF82041a2Bf6989c7fF9"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><h1>Maintenance</h1></html>",
        ANSWER[:-20],
        ANSWER.replace("callResponse", "otherResponse"),
        ANSWER.replace(NAMESPACE, "http://example.com/"),
        ANSWER.replace(ENVELOPE, "http://www.w3.org/2003/05/soap-envelope"),
        ANSWER.replace("</return>", "</return><return>0</return>"),
        ANSWER.replace("0,AF", "<b>0</b>AF"),
        '<!DOCTYPE a [<!ENTITY b "0">]>' + ANSWER.replace("0,AF", "&b;,AF"),
        "<!doctype html>" + ANSWER,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + ANSWER,
        ANSWER.encode("utf-16"),
        b"\xff\xfe",
        "<a>" * 50_000,
    ],
)
def test_answer_that_is_none_is_an_unknown_outcome(text: str | bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        read(text)


def test_call_escapes_what_it_is_given() -> None:
    sent = soap.call(NAMESPACE, "bpPayRequest", {"userPassword": "a<&>b", "amount": 5}).decode()
    assert "<userPassword>a&lt;&amp;&gt;b</userPassword><amount>5</amount>" in sent
