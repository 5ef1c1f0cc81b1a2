"""docs/law.md and docs/tariff.md name only rows, rules, tests and members that exist, and leave none out."""

from __future__ import annotations

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator

from avarez.assessment import rules
from avarez.assessment.tariff import member_names, merge_files, tariff_from_document

ROOT = Path(__file__).resolve().parents[3]
LAW = (ROOT / "docs" / "law.md").read_text(encoding="utf-8")
TARIFF = (ROOT / "docs" / "tariff.md").read_text(encoding="utf-8")


def test_every_test_and_rule_that_the_law_page_names_exists() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", LAW)
    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []
    assert [name for name in re.findall(r"`rules\.(\w+)`", LAW) if not hasattr(rules, name)] == []


def test_every_value_of_the_law_stands_on_the_law_page() -> None:
    rows = merge_files(ROOT / "demo" / "tariffs")["rows"]
    assert [row["id"] for row in rows if not row["demonstration"] and f"`{row['id']}`" not in LAW] == []


def test_tariff_page_explains_every_kind_and_member() -> None:
    for kind, members in member_names().items():
        assert f"`{kind}`" in TARIFF
        assert [member for member in sorted(members) if f"`{member}`" not in TARIFF] == []


def test_example_of_the_tariff_page_is_a_tariff_beside_the_demonstration() -> None:
    example = json.loads(re.findall(r"```json\n(.*?)```", TARIFF, re.DOTALL)[-1])
    document = merge_files(ROOT / "demo" / "tariffs")
    tariff_from_document({**document, "rows": [*document["rows"], *example["rows"]]})


def test_schema_for_editors_names_the_same_members_and_takes_the_demonstration() -> None:
    schema = json.loads((ROOT / "docs" / "tariff.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    named = {
        rule["if"]["properties"]["kind"]["const"]: frozenset(rule["then"]["properties"])
        for rule in schema["$defs"]["row"]["allOf"]
    }
    assert named == member_names()
    for path in (ROOT / "demo" / "tariffs").glob("*.json"):
        Draft202012Validator(schema).validate(json.loads(path.read_text(encoding="utf-8")))
    broken = merge_files(ROOT / "demo" / "tariffs")
    broken["rows"][0]["colour"] = "red"
    assert not Draft202012Validator(schema).is_valid(broken)
