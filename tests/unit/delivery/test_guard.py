"""Scenario 34: where a message to a municipality may go. Every writing of an inner address is refused, twice.

At registration the URL and the addresses of its name are looked at; at each sending the addresses again, and the
connection is made to the very address that was looked at.
"""

from __future__ import annotations

import socket

import pytest

from avarez.errors import WebhookUrlRefused
from functions.pay.delivery.wire.addresses import is_callable
from functions.pay.delivery.wire.sending import Failure, Sender
from functions.pay.delivery.wire.target import Target, read_target

INNER_ADDRESSES = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.1.2.3",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    "2606:4700::1111%1", "", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "localhost",
)  # fmt: skip
PUBLIC_ADDRESSES = ("8.8.8.8", "5.160.0.1", "185.143.232.1", "192.0.1.1", "172.32.0.1", "2606:4700::1111")

REFUSED_URLS = (
    "http://city.example.ir/hook",
    "https://127.0.0.1/hook",
    "https://127.1/hook",
    "https://2130706433/hook",
    "https://0x7f.1/hook",
    "https://0x7f000001/hook",
    "https://0177.0.0.1/hook",
    "https://0177.0.0.0x1/hook",
    "https://[::1]/hook",
    "https://[::ffff:127.0.0.1]/hook",
    "https://①②⑦.⓪.⓪.①/hook",
    "https://127。0。0。1/hook",
    "https://ⓛocalhost.example.ir/hook",
    "https://\u212aity.example.ir/hook",
    "https://شهرداری.ایران/hook",
    "https://localhost/hook",
    "https://city/hook",
    "https://city.example.ir./hook",
    "https://user@city.example.ir/hook",
    "https://user:secret@city.example.ir/hook",
    "https://city.example.ir@127.0.0.1/hook",
    "https://city.example.ir:80/hook",
    "https://city.example.ir:22/hook",
    "https://city.example.ir:0443/hook",
    "https://city.example.ir:/hook",
    "https://city.example.ir:70000/hook",
    "https://city.example.ir/hook#fragment",
    "https://city.example.ir\\@127.0.0.1/hook",
    "https://city.example.ir/ho ok",
    "https://city.example.ir/hook\r\nHost: inner",
    "https://city.example.ir/hook\n",
    "https://city..example.ir/hook",
    "https://-city.example.ir/hook",
    "https://city_1.example.ir/hook",
    "https:/city.example.ir/hook",
    "https:city.example.ir/hook",
    "//city.example.ir/hook",
    "ftp://city.example.ir/hook",
    "file:///etc/passwd",
    "gopher://city.example.ir/hook",
    "javascript:alert(1)",
    f"https://{'a.' * 130}ir/hook",
    f"https://city.example.ir/{'a' * 1000}",
    "",
)  # fmt: skip
TARGET = Target("city.example.ir", 443, "/hook")


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_no_inner_address_is_callable(address: str) -> None:
    assert not is_callable(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_callable(address: str) -> None:
    assert is_callable(address)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_urls_with_two_readings_or_none_are_refused(url: str) -> None:
    for loopback_allowed in (False, True):
        with pytest.raises(WebhookUrlRefused):
            read_target(url, loopback_allowed=loopback_allowed)


@pytest.mark.parametrize(
    ("url", "target", "kept"),
    [
        ("https://city.example.ir/hook", TARGET, "https://city.example.ir/hook"),
        ("HTTPS://City.Example.IR/Hook", Target("city.example.ir", 443, "/Hook"), "https://city.example.ir/Hook"),
        ("https://city.example.ir", Target("city.example.ir", 443, "/"), "https://city.example.ir/"),
        ("https://city.example.ir?a=B", Target("city.example.ir", 443, "/?a=B"), "https://city.example.ir/?a=B"),
        ("https://a.xn--mgba3a4f16a:8443/x", Target("a.xn--mgba3a4f16a", 8443, "/x"), None),
    ],
)
def test_what_is_called_is_put_together_from_what_was_read(url: str, target: Target, kept: str | None) -> None:
    assert read_target(url) == target
    assert target.url == (kept or url)


def test_loopback_is_for_the_local_system_alone() -> None:
    url = "http://127.0.0.1:9000/hook"
    with pytest.raises(WebhookUrlRefused):
        read_target(url)
    local = read_target(url, loopback_allowed=True)
    assert (local.host, local.port, local.path, local.secure) == ("127.0.0.1", 9000, "/hook", False)
    assert Sender(loopback_allowed=False).post(local, {}, b"").failure is Failure.ADDRESS_REFUSED


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    """One bad address among good ones is enough: the next connection might be to it."""
    sender = Sender(resolver=lambda host, port: ["8.8.8.8", address])
    assert sender.address_of(TARGET) is Failure.ADDRESS_REFUSED


def test_a_name_is_resolved_once_for_each_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the second answer of the name is never asked for, and the connection is to the first."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    asked: list[str] = []
    called: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    def connect(self: socket.socket, place: tuple[str, int]) -> None:
        called.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    sender = Sender(resolver=resolver)
    first = sender.post(TARGET, {}, b"{}")
    assert (asked, called) == (["city.example.ir"], [("8.8.8.8", 443)])
    assert (first.failure, first.address) == (Failure.NOT_CONNECTED, "8.8.8.8")
    second = sender.post(TARGET, {}, b"{}")
    assert (second.failure, called) == (Failure.ADDRESS_REFUSED, [("8.8.8.8", 443)])


def test_a_name_without_an_address_is_told() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    assert Sender(resolver=unknown).post(TARGET, {}, b"{}").failure is Failure.NAME_UNKNOWN
    assert Sender(resolver=lambda host, port: []).post(TARGET, {}, b"{}").failure is Failure.NAME_UNKNOWN
