"""The verifier's app is served whole by the running system."""

from __future__ import annotations

import pytest

from tests.system.conftest import System

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/vendor/qr/decode.js", "text/javascript"),
        ("/vendor/qr/index.js", "text/javascript"),
        ("/verify/app.webmanifest", "application/manifest+json"),
        ("/verify/shown/camera.js", "text/javascript"),
        ("/common/icon-512.png", "image/png"),
    ],
)
def test_app_is_served_whole(system: System, path: str, kind: str) -> None:
    answer = system.client(None).get(path)
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, kind)
    assert system.client(None).get("/vendor/qr/dom.js").status == 404
