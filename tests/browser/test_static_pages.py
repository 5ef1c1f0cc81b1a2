"""What can be said of the pages' files without a browser."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from infra import edge_rules
from tests.browser.stub import ROOT, WEB, page_file

WORKER = WEB / "verify" / "sw.js"
IMPORT = re.compile(
    r"""^(?:import|export) (?:[\w*{][^"';]* from )?"([^"]+)";|\bimport\("([^"]+)"\)""", re.MULTILINE
)


def kept_files() -> list[str]:
    return re.findall(
        r'"(/[\w./-]+)"', WORKER.read_text(encoding="utf-8").partition("FILES = [")[2].partition("]")[0]
    )


def file_of(path: str) -> Path:
    file = page_file(path)
    assert file is not None, path
    return file


def test_service_worker_keeps_every_file_of_the_verifier() -> None:
    folder = WEB / "verify"
    ours = {f"/verify/{path.relative_to(folder)}" for path in folder.rglob("*") if path.is_file()}
    assert ours - {"/verify/sw.js", "/verify/index.html"} <= set(kept_files())
    assert edge_rules.VENDORED.keys() <= set(kept_files())


def test_service_worker_version_is_the_hash_of_what_it_keeps() -> None:
    digest = hashlib.sha256((WEB / "verify" / "index.html").read_bytes())
    for path in kept_files():
        digest.update(file_of(path).read_bytes())
    right = digest.hexdigest()[:16]
    assert f'VERSION = "{right}"' in WORKER.read_text(encoding="utf-8"), f"set VERSION in sw.js to {right}"


def test_every_import_leads_to_a_module() -> None:
    """A module that is moved leaves no page behind that still asks for it where it was."""
    modules = sorted(WEB.rglob("*.js"))
    assert len(modules) > 100
    lost = []
    for module in modules:
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"^(<{7}|>{7}) ", text, re.MULTILINE), f"{module} is not merged"
        for asked in (fixed or later for fixed, later in IMPORT.findall(text)):
            found = page_file(asked) if asked.startswith("/") else module.parent / asked
            if found is None or not found.is_file():
                lost.append(f"{module.relative_to(WEB)}: {asked}")
    assert lost == []


def test_app_can_be_installed() -> None:
    manifest = json.loads((WEB / "verify" / "app.webmanifest").read_text(encoding="utf-8"))
    assert manifest["start_url"] == manifest["scope"] == edge_rules.SERVICE_WORKER_SCOPE
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            with Image.open(file_of(icon["src"])) as picture:
                assert icon["sizes"] == f"{picture.width}x{picture.height}"
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


def test_pages_have_no_inline_code_and_no_foreign_address() -> None:
    for path in WEB.rglob("*"):
        if path.suffix not in (".html", ".js", ".css"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), path
        foreign = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}
        assert not foreign, (path, foreign)
        if path.suffix == ".html":
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path


HEAD = (
    r'<meta charset="utf-8">',
    r'<meta name="viewport" content="width=device-width, initial-scale=1">',
    r'<meta name="referrer" content="no-referrer">',
    r'<meta name="color-scheme" content="light dark">',
    r'<meta name="theme-color" content="#084f49">',
    r'<meta name="(?:robots" content="noindex|description" content="[^"<>]+)">',
    r"<title>[^|<>]+ \| [^|<>]+</title>",
    r'<link rel="icon" href="/common/icon\.svg" type="image/svg\+xml">',
    r'(?:<link rel="(?:apple-touch-icon|manifest)" href="/[\w./-]+">\n)*'
    r'<link rel="preload" href="/fonts/Vazirmatn-\w+\.woff2" as="font" type="font/woff2" crossorigin>',
    r'<link rel="stylesheet" href="/common/base\.css">',
    r'(?:<link rel="stylesheet" href="/common/(?:desk/(?:duty/)?)?\w+\.css">\n)*'
    r'(?:<link rel="stylesheet" href="/{page}/\w+\.css">\n)+'
    r'<script type="module" src="/{page}/app\.js"></script>',
)
"""There is no build step that would write it once, so each page has it, and here it is held to be one."""


@pytest.mark.parametrize("page", sorted(path.parent.name for path in WEB.glob("*/index.html")))
def test_every_page_has_the_same_head(page: str) -> None:
    text = (WEB / page / "index.html").read_text("utf-8")
    opening = r'<!doctype html>\n<html lang="fa" dir="rtl"(?: data-session="[\w.]+")?>\n<head>\n'
    expected = opening + "\n".join(HEAD).replace("{page}", page) + r"\n</head>\n<body>\n"
    assert re.match(expected, re.sub(r"\n +", "\n", text)), f"web/{page}/index.html"
    assert re.search(r"<noscript>.+This page needs JavaScript.*</noscript>\n</body>\n</html>\n$", text)
    assert (
        text.count('<main id="main"') == text.count('<a class="skip" href="#main" id="skip">') or page == "verify"
    )


def test_policy_lets_the_office_page_show_the_pdf() -> None:
    policy = edge_rules.content_security_policy("https://documents.example")
    assert "frame-src blob:" in policy
    assert "connect-src 'self' https://documents.example" in policy
    assert "unsafe" not in policy


def test_both_languages_say_the_same_number_of_things() -> None:
    texts = [path.read_text("utf-8") for path in sorted(WEB.rglob("words/*.js"))]
    pairs = re.findall(r'^  "?[\w.]+"?: \["([^"]*)", "([^"]*)"\],$', "\n".join(texts), re.MULTILINE)
    assert len(pairs) > 150
    for persian, english in pairs:
        assert set(re.findall(r"\{\w+\}", persian)) == set(re.findall(r"\{\w+\}", english)), (persian, english)


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"^ +(--[\w-]+): (#[0-9a-f]{6});$", css, re.MULTILINE))


def test_design_page_names_every_colour_of_both_themes() -> None:
    css = (WEB / "common" / "base.css").read_text("utf-8")
    light, _, dark = css.partition("@media screen and (prefers-color-scheme: dark)")
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| `(--[\w-]+)` \| `(#\w+)` \| `(#\w+)` \|", text, re.MULTILINE)
    assert {name: (one, other) for name, one, other in rows} == {
        name: (colour, tokens(dark)[name]) for name, colour in tokens(light).items()
    }
