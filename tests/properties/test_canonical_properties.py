"""Our canonical bytes are those of RFC 8785, whatever the value."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from avarez.canonical import canonical_bytes

text = st.text(st.characters(exclude_categories=["Cs"]))
leaves = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner) | st.tuples(inner) | st.dictionaries(
        st.text("abc_-\x00\x1f\"\\\x7f/"), inner),
)  # fmt: skip


class Name(StrEnum):
    """A member of a closed set, which is a text too."""

    ONE = "one"


@given(values)
def test_bytes_are_those_of_the_reference_encoder(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


def test_members_of_enumerations_are_their_texts() -> None:
    assert canonical_bytes({"kind": Name.ONE}) == b'{"kind":"one"}'


@pytest.mark.parametrize(
    "value", [1.0, [0.5], {"a": [{"b": float("nan")}]}, 2**53, -(2**53), {"a": 2**60}, "\ud800"]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, rfc8785.CanonicalizationError)):
        canonical_bytes(value)
