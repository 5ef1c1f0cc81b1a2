"""When the templates are made anew: whenever anything that they are made of changed."""

from __future__ import annotations

from pathlib import Path

from infra.packaging.build import Assets
from infra.synth import TEMPLATE_SOURCES, inputs

ROOT = Path(__file__).resolve().parents[2]


def test_a_change_in_any_source_of_the_template_makes_it_anew(assets: Assets, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("")
    for folder in TEMPLATE_SOURCES:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "one.py").write_text("")
    seen = {inputs(assets, tmp_path)}
    for folder in TEMPLATE_SOURCES:
        (tmp_path / folder / "one.py").write_text("# another right")
        seen.add(inputs(assets, tmp_path))
    assert len(seen) == 1 + len(TEMPLATE_SOURCES)


def test_every_folder_that_the_application_imports_is_a_source() -> None:
    app_side = {
        "infra/local",
        "infra/openapi",
        "infra/packaging",
    }  # what runs, tells and packs; the packed assets are hashed by themselves
    folders = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "infra").rglob("*.py")}
    others = {one for one in folders if not any(one == part or one.startswith(f"{part}/") for part in app_side)}
    assert others == set(TEMPLATE_SOURCES)
