"""What can be said of the pages' files without a browser."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from PIL import Image

from infra import edge_rules
from tests.browser.stub import ROOT, WEB, page_file

WORKER = WEB / "verify" / "sw.js"


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
