"""Items in DynamoDB's typed form: ours by hand, and as the SDK has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from avarez.dynamo import from_item, to_item


class Kind(StrEnum):
    ONE = "one"


PLAIN = st.recursive(
    st.text(max_size=5)
    | st.integers(-(10**38) + 1, 10**38 - 1)
    | st.booleans()
    | st.none()
    | st.binary(max_size=4)
    | st.just(Kind.ONE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=3), PLAIN, max_size=4))
def test_items_are_typed_as_the_sdk_types_them_and_read_back(plain: dict[str, Any]) -> None:
    serializer = TypeSerializer()
    wanted = {name: serializer.serialize(value) for name, value in plain.items() if value is not None}
    assert to_item(plain) == wanted
    assert from_item(to_item(plain)) == {name: value for name, value in plain.items() if value is not None}
