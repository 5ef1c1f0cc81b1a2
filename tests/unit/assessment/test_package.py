"""The package's own names: each is there, and asking for a vehicle's facts brings no engine."""

from __future__ import annotations

import subprocess
import sys

import pytest

import avarez.assessment


@pytest.mark.parametrize("name", avarez.assessment.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(avarez.assessment, name) is not None


def test_a_name_that_is_not_promised_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'asses'"):
        getattr(avarez.assessment, "asses")  # noqa: B009 - a name that only exists at run time


def test_facts_of_a_vehicle_come_without_the_engine() -> None:
    asked = "import sys, avarez.assessment.model as m; print('avarez.assessment.engine' in sys.modules, m.Vehicle)"
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("False")
