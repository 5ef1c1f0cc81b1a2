"""The pages as a person on an old computer and a slow line gets them, in Chromium: first visits, medians.

`python -m benchmarks.pages` measures them alone. The pages come compressed and under the edge's own headers, as
the local edge and the cloud send them; the page of the figures has a publication that the builder made. The
processor is slowed four times and the line is Lighthouse's slow 4G, both by the browser (DevTools protocol).
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from avarez.figures.definitions import DEFINITIONS
from avarez.figures.files import file_name
from avarez.municipalities import find_municipality
from benchmarks import open_figures
from benchmarks.report import Figure, at_most, plain
from functions.report.publishing import publish
from infra import edge_rules

GROUP: Final = "pages, slow line and 4 times slower"
CHROMIUM: Final = "/usr/bin/chromium"
CPU_SLOWER: Final = 4
LINE: Final = {"latency": 150, "downloadThroughput": 1_638_400 // 8, "uploadThroughput": 768_000 // 8}
"""Source: Lighthouse, docs/throttling.md: slow 4G has 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back."""
QUIET_MS: Final = 5_000
"""A page is interactive when no long task follows for so long. Source: Lighthouse, time to interactive."""
MOST_MS: Final = 30_000
"""A page that is not quiet by then is told as it stands: on a machine with other work it may never be."""
LONG_MS: Final = 50
WEIGHT_MAX_KB: Final = 150
PAYMENTS: Final = 600
PAGES: Final = {
    "office": ("/", "#username"),
    "city console": ("/city", "#username"),
    "owner": ("/my", "main input"),
    "figures": ("/open", ".sums"),
    "verifier": ("/v", "h1"),
}
"""Each page's address, and what stands there once it can be worked with."""
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
COMPRESSED: Final = frozenset((".html", ".js", ".css", ".svg", ".webmanifest"))
OBSERVE: Final = """
window.__seen = { paint: 0, largest: 0, long: [] };
new PerformanceObserver((list) => {
  for (const of of list.getEntries()) if (of.name === "first-contentful-paint") window.__seen.paint = of.startTime;
}).observe({ type: "paint", buffered: true });
new PerformanceObserver((list) => {
  for (const of of list.getEntries()) window.__seen.largest = of.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const of of list.getEntries()) window.__seen.long.push([of.startTime, of.duration]);
}).observe({ type: "longtask", buffered: true });
"""


def figures(root: Path, *, rounds: int) -> list[Figure]:
    """Paints, time to interactive, blocking time and bytes of each page's first visit."""
    found: list[Figure] = []
    with _served(root) as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for name, (path, sign) in PAGES.items():
            visits = [_visit(browser, origin + path, sign) for _ in range(rounds)]
            found += _rows(name, visits)
        browser.close()
    return found


def _rows(name: str, visits: Sequence[Mapping[str, float]]) -> list[Figure]:
    def values(of: str) -> list[float]:
        return [visit[of] for visit in visits]

    return [
        plain(GROUP, f"{name}: first contentful paint", values("paint_s"), "s", 2),
        plain(GROUP, f"{name}: largest contentful paint", values("largest_s"), "s", 2),
        plain(GROUP, f"{name}: time to interactive", values("interactive_s"), "s", 2),
        plain(GROUP, f"{name}: total blocking time", values("blocking_ms"), "ms", 0),
        at_most(GROUP, f"{name}: transferred, before fonts", values("kilobytes"), "kB", WEIGHT_MAX_KB, 1),
        plain(GROUP, f"{name}: fonts", values("font_kilobytes"), "kB", 1),
    ]


def _visit(browser: Browser, address: str, sign: str) -> dict[str, float]:
    """One first visit, with nothing kept from another."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, service_workers="block")
    page = context.new_page()
    page.add_init_script(OBSERVE)
    session = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    taken: dict[str, float] = {}
    session.on("Network.responseReceived", lambda of: kinds.update({of["requestId"]: of["type"]}))
    session.on("Network.loadingFinished", lambda of: taken.update({of["requestId"]: of["encodedDataLength"]}))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", {"offline": False, **LINE})
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    page.goto(address, timeout=120_000)
    page.locator(sign).first.wait_for(timeout=120_000)
    shown_ms = float(page.evaluate("performance.now()"))
    page.wait_for_function(
        """([quiet, most]) => {
            const ended = window.__seen.long.map(([start, took]) => start + took);
            return performance.now() - Math.max(window.__seen.paint, ...ended) > quiet || performance.now() > most;
        }""",
        arg=[QUIET_MS, MOST_MS],
        timeout=120_000,
    )
    seen = page.evaluate("window.__seen")
    context.close()
    ended = [start + took for start, took in seen["long"]]
    # What the page is for must be there as well: before its modules have come nobody can work with it.
    interactive_ms = max(seen["paint"], shown_ms, *ended) if ended else max(seen["paint"], shown_ms)
    fonts = sum(size for of, size in taken.items() if kinds.get(of) == "Font")
    return {
        "paint_s": seen["paint"] / 1e3,
        "largest_s": seen["largest"] / 1e3,
        "interactive_s": interactive_ms / 1e3,
        "blocking_ms": sum(took - LONG_MS for start, took in seen["long"] if start >= seen["paint"]),
        "kilobytes": (sum(taken.values()) - fonts) / 1e3,
        "font_kilobytes": fonts / 1e3,
    }


# -- what is served --------------------------------------------------------------------------------------


class _KeptDesk(open_figures.Desk):
    """The builder's ports, with its files kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: dict[str, bytes] = {}

    def keep(self, content: bytes, form: str) -> str:
        name = file_name(content, form)
        self.kept[name] = content
        return name


def _answers() -> dict[str, bytes]:
    """What the API answers to the page of the figures."""
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as folder:
        path = Path(folder) / "chain.ndjson"
        open_figures.write(path, PAYMENTS)
        desk = _KeptDesk(path)
        end = open_figures.BEGIN + open_figures.YEARS
        publish(
            chains=desk,
            files=desk,
            publications=desk,
            owing=desk,
            cities=[open_figures.CITY],
            now=end,
            time_left=lambda: True,
        )
    if desk.stands is None:
        raise AssertionError("nothing was published")
    manifest = json.loads(desk.kept[desk.stands.manifest])
    cities = []
    for entry in manifest["cities"]:
        city = find_municipality(entry["municipality"])
        files = {form: {**of, "href": f"/v1/open/files/{of['name']}"} for form, of in entry["files"].items()}
        cities.append({**(city.to_json() if city else {}), **entry, "files": files})
    named = {"name": desk.stands.manifest, "href": f"/v1/open/files/{desk.stands.manifest}"}
    told: dict[str, Any] = {**manifest, "cities": cities, "manifest": named}
    definitions = {"definitions": [of.told() for of in DEFINITIONS]}
    answers = {"/v1/open": told, "/v1/open/definitions": definitions}
    return {
        **{path: json.dumps(of).encode() for path, of in answers.items()},
        **{f"/v1/open/files/{name}": content for name, content in desk.kept.items()},
    }


@contextmanager
def _served(root: Path) -> Iterator[str]:
    """The pages and the answers on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(root, _answers()))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(root: Path, answers: Mapping[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            file = _file(root, path)
            if path in answers:
                self._send(200, answers[path], "application/json", compressed=True)
            elif file is None or not file.is_file():
                self._send(404, b"{}", "application/problem+json", compressed=False)
            else:
                self._send(200, file.read_bytes(), TYPES[file.suffix], compressed=file.suffix in COMPRESSED)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nothing."""

        def _send(self, status: int, content: bytes, kind: str, *, compressed: bool) -> None:
            headers = {**edge_rules.SECURITY_HEADERS, "content-type": kind}
            if kind.startswith("text/html"):
                headers["content-security-policy"] = edge_rules.content_security_policy("")
            if compressed:
                content = gzip.compress(content, 6)
                headers["content-encoding"] = "gzip"
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _file(root: Path, path: str) -> Path | None:
    if path.startswith("/fonts/"):
        return root / "node_modules" / "vazirmatn" / "fonts" / "webfonts" / path.removeprefix("/fonts/")
    if path in edge_rules.VENDORED:
        return root / "node_modules" / edge_rules.VENDORED[path]
    name = None if edge_rules.goes_to_api(path) else edge_rules.page_of(path)
    return root / "web" / name if name else None


if __name__ == "__main__":
    for figure in figures(Path(__file__).resolve().parents[1], rounds=int(sys.argv[1]) if sys.argv[1:] else 5):
        sys.stdout.write(f"{figure.name}: {figure.value} ({figure.spread})\n")
