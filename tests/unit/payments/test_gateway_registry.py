"""The gateways of a deployment: which there are, and what a secret that cannot be read does to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from avarez.errors import ChannelUnavailable, ServiceBusy
from functions.pay.gateways import registry
from functions.pay.gateways.adapters.sandbox import SandboxGateway
from functions.pay.gateways.port import from_units, to_units
from functions.pay.gateways.registry import Gateways

ROOT = Path(__file__).resolve().parents[3]
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


def test_gateway_that_is_asked_for_is_loaded_and_no_other_is() -> None:
    program = (
        "import json, sys; from functions.pay.gateways.registry import Gateways;"
        "made = Gateways(lambda: json.dumps({'zibal': {'merchant': 'm'}, 'sadad': {}})); made.get('zibal');"
        "print([name for name in sys.modules if '.adapters.' in name], 'cryptography' in sys.modules)"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/layers/common"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "['functions.pay.gateways.adapters.zibal'] False"


@pytest.mark.parametrize("name", registry.ADAPTERS)
def test_every_adapter_that_is_named_can_be_loaded(name: str) -> None:
    assert registry.adapter(name).name == name  # type: ignore[attr-defined]


def test_rotated_credential_makes_the_gateway_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [json.dumps({"zibal": {"merchant": merchant}}) for merchant in ("new", "old", "old")]
    monkeypatch.setattr(registry, "SECRET_SECONDS_MAX", -1)
    gateways = Gateways(secrets.pop)
    first = gateways.get("zibal")
    assert gateways.get("zibal") is first
    assert gateways.get("zibal") is not first
