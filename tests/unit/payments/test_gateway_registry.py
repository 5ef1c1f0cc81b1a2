"""The gateways of a deployment: which there are, and what a secret that cannot be read does to them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from avarez.errors import ChannelUnavailable, ServiceBusy
from functions.pay.gateways import registry
from functions.pay.gateways.adapters.sandbox import SandboxGateway
from functions.pay.gateways.port import from_units, to_units
from functions.pay.gateways.registry import Gateways

DESCRIBED = {"base_url": "http://127.0.0.1:1", "merchant": "m", "secret": "s"}


def test_gateways_are_those_of_the_secret_that_have_an_adapter() -> None:
    gateways = Gateways(lambda: json.dumps({"sandbox": DESCRIBED, "unheard_of": {}}))
    assert gateways.default() == "sandbox"
    assert gateways.get("sandbox").page_lifetime == timedelta(minutes=15)
    with pytest.raises(ChannelUnavailable):
        gateways.get("unheard_of")


@pytest.mark.parametrize("secret", ["", "{}"])
def test_empty_secret_offers_no_channel(secret: str) -> None:
    with pytest.raises(ChannelUnavailable):
        Gateways(lambda: secret).default()


def test_secret_that_cannot_be_read_again_leaves_the_gateways_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [json.dumps({"sandbox": DESCRIBED})]

    def read() -> str:
        if not answers:
            raise ServiceBusy()
        return answers.pop()

    monkeypatch.setattr(registry, "SECRET_SECONDS_MAX", -1)
    gateways = Gateways(read)
    first = gateways.get("sandbox")
    assert gateways.get("sandbox") is first
    with pytest.raises(ServiceBusy):
        Gateways(read).get("sandbox")


def test_amount_that_is_no_whole_unit_never_reaches_a_gateway() -> None:
    assert from_units(to_units(12_340, 10), 10) == 12_340
    with pytest.raises(ValueError):
        to_units(12_345, 10)


def test_patience_of_the_adapter_is_below_what_a_callback_may_wait() -> None:
    assert SandboxGateway(**DESCRIBED)._timeout_ms < 5_000  # type: ignore[arg-type]
