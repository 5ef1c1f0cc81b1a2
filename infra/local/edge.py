"""The edge on 127.0.0.1: pages and API on one origin, as CloudFront has it in the cloud.

`python -m infra.local.edge --port P --engine URL --api ID`. Which path goes where, headers and limits come from
`infra/edge_rules.py`, which the template reads too.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from infra import edge_problems, edge_rules
from infra.local.process import port_is_free

ROOT: Final = Path(__file__).resolve().parents[2]
FONT_FOLDERS: Final = (ROOT / ".build" / "web" / "fonts", ROOT / "node_modules/vazirmatn/fonts/webfonts")
EXIT_PORT_TAKEN: Final = 67
UPSTREAM_TIMEOUT_SECONDS: Final = 35.0
"""Above the HTTP API's own 30 s, so that its answer comes first."""
BODY_TIMEOUT_SECONDS: Final = 60.0
BUFFERED_ANSWER_BYTES: Final = 256 * 1024
"""Answers up to here are passed on in one piece, larger ones as they come."""
GZIP_FROM_BYTES: Final = 1024
URL_LIMIT_BYTES: Final = 8192
"""Source: Amazon CloudFront quotas, maximum length of a URL: 8,192 bytes."""
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)
"""Source: RFC 9110 section 7.6.1, and Expect, which is answered here."""

CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent, read once per change."""

    modified_ns: int
    body: bytes
    compressed: bytes | None
    etag: str
    content_type: str


class Edge:
    """Answers pages from disk and passes the API's paths on."""

    def __init__(
        self, *, engine_url: str, api_id: str, web_root: Path, session: aiohttp.ClientSession, limit_rates: bool
    ) -> None:
        self._upstream = f"{engine_url}/_aws/execute-api/{api_id}/$default"
        self._web_root = web_root.resolve()
        self._session = session
        self._policy = edge_rules.content_security_policy(engine_url)
        self._files: dict[Path, StaticFile] = {}
        self._limit_rates = limit_rates
        self._window = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    async def named(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request; it does not say what software gives it."""
        answer = await self.handle(request)
        if not answer.prepared:
            answer.headers[hdrs.SERVER] = "avarez"
        return answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request."""
        raw_path, _, query = request.raw_path.partition("?")
        try:
            path = unquote(raw_path, errors="strict")
        except UnicodeDecodeError:
            return self.problem(request, 400)
        host = (request.headers.get(hdrs.HOST) or "").rsplit(":", 1)[0]
        if host not in LOCAL_HOSTS:
            return self.problem(request, 421)
        if len(request.raw_path) > URL_LIMIT_BYTES:
            return self.problem(request, 414)
        if not raw_path.startswith("/") or "x-amz-" in query.lower() or ".." in path.split("/"):
            return self.problem(request, 400)
        if self._limit_rates and self._too_many(request.remote or "", path):
            return self.problem(request, edge_rules.RATE_REFUSED_STATUS)
        if edge_rules.goes_to_api(path):
            return await self._pass_on(request, path, raw_path, query)
        return self._page(request, path)

    def _too_many(self, address: str, path: str) -> bool:
        """Counts the request; whether one of the rules refuses it. Windows are whole, as a clock's."""
        window = int(time.monotonic() // edge_rules.RATE_WINDOW_S)
        if window != self._window:
            self._window = window
            self._counts.clear()
        refused = False
        for rule in edge_rules.RATES:
            if path.startswith(rule.prefix):
                self._counts[rule.name, address] += 1
                refused |= self._counts[rule.name, address] > rule.requests_max
        return refused

    # --- pages ---

    def _page(self, request: web.Request, path: str) -> web.Response:
        if path.startswith("/fonts/"):
            file = self._font(path)
        elif path in edge_rules.VENDORED:
            file = self._read(ROOT / "node_modules" / edge_rules.VENDORED[path])
        else:
            file = self._web_file(path)
        if file is None:
            return self.problem(request, 404)
        if request.method not in ("GET", "HEAD"):
            return self.problem(request, 405)
        is_font = path.startswith("/fonts/")
        headers = {
            **edge_rules.SECURITY_HEADERS,
            "Cache-Control": edge_rules.FONT_CACHE if is_font else edge_rules.PAGE_CACHE,
            "ETag": file.etag,
        }
        if file.content_type.startswith("text/html"):
            headers["Content-Security-Policy"] = self._policy
        if path == edge_rules.SERVICE_WORKER_PATH:
            headers["Service-Worker-Allowed"] = edge_rules.SERVICE_WORKER_SCOPE
        if file.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        body = file.body
        if file.compressed is not None:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
                headers["Content-Encoding"] = "gzip"
                body = file.compressed
        return web.Response(body=body, headers={**headers, "Content-Type": file.content_type})

    def _font(self, path: str) -> StaticFile | None:
        name = path.removeprefix("/fonts/")
        if name not in edge_rules.FONTS:
            return None
        for folder in FONT_FOLDERS:
            file = self._read(folder / name)
            if file is not None:
                return file
        return None

    def _web_file(self, path: str) -> StaticFile | None:
        relative = edge_rules.page_of(path)
        if relative is None or "\0" in relative:
            return None
        target = (self._web_root / relative).resolve()
        return self._read(target) if target.is_relative_to(self._web_root) else None

    def _read(self, path: Path) -> StaticFile | None:
        try:
            if not path.is_file():
                return None
            modified_ns = path.stat().st_mtime_ns
            known = self._files.get(path)
            if known is not None and known.modified_ns == modified_ns:
                return known
            body = path.read_bytes()
        except (OSError, ValueError):
            return None
        content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        compressed = None
        if len(body) >= GZIP_FROM_BYTES and content_type.startswith(("text/", "image/svg", "application/json")):
            compressed = gzip.compress(body, 6, mtime=0)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        file = StaticFile(modified_ns, body, compressed, etag, content_type)
        self._files[path] = file
        return file

    # --- the API ---

    async def _pass_on(self, request: web.Request, path: str, raw_path: str, query: str) -> web.StreamResponse:
        try:
            limit = edge_rules.body_max_bytes(path)
            body = await asyncio.wait_for(_body_of(request, limit), BODY_TIMEOUT_SECONDS)
        except TimeoutError:
            return self.problem(request, 408)
        except _TooLarge:
            refusal = self.problem(request, edge_rules.BODY_REFUSED_STATUS)
            refusal.force_close()
            return refusal
        url = URL(f"{self._upstream}{raw_path}{'?' + query if query else ''}", encoded=True)
        try:
            async with self._session.request(
                request.method, url, data=body or None, headers=_forwarded(request), allow_redirects=False
            ) as upstream:
                headers = _returned(upstream.headers)
                if edge_problems.is_foreign(upstream.status, upstream.headers.get(hdrs.CONTENT_TYPE, "")):
                    headers.popall(hdrs.CONTENT_TYPE, None)
                    request_id = upstream.headers.get("apigw-requestid", "")
                    return _problem(request, upstream.status, headers, request_id)
                length = upstream.content_length
                if length is not None and length <= BUFFERED_ANSWER_BYTES:
                    content = await upstream.read()
                    return web.Response(status=upstream.status, body=content, headers=headers)
                headers[hdrs.SERVER] = "avarez"
                answer = web.StreamResponse(status=upstream.status, headers=headers)
                if length is not None:
                    answer.content_length = length
                await answer.prepare(request)
                async for chunk in upstream.content.iter_chunked(64 * 1024):
                    await answer.write(chunk)
                await answer.write_eof()
                return answer
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return self.problem(request, 503)
        except TimeoutError:
            return self.problem(request, 504)
        except aiohttp.ClientError:
            return self.problem(request, 503 if request.method in ("GET", "HEAD") else 504)

    # --- refusals ---

    def problem(self, request: web.BaseRequest, status: int) -> web.Response:
        """RFC 9457 for programs, a small page in both languages for people."""
        headers = {**edge_rules.SECURITY_HEADERS, "Cache-Control": "no-store"}
        if status in (503, 504):
            headers["Retry-After"] = "2"
        if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
            persian, english = (edge_problems.document(status, language, "")["title"] for language in ("fa", "en"))
            page = (
                '<!doctype html><html lang="fa" dir="rtl"><meta charset="utf-8">'
                '<meta name="viewport" content="width=device-width">'
                f"<title>{status}</title><h1>{persian}</h1><p lang=en dir=ltr>{english}</p>"
                '<p><a href="/">صفحهٔ نخست · Home</a></p></html>'
            )
            headers["Content-Security-Policy"] = self._policy
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        return _problem(request, status, headers, secrets.token_hex(8))


def _problem(request: web.BaseRequest, status: int, headers: Mapping[str, str], request_id: str) -> web.Response:
    """The problem document as CloudFront's function writes it."""
    language = edge_problems.language_of(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
    body = edge_problems.document(status, language, request_id)
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={**headers, "Content-Type": edge_problems.MEDIA_TYPE, "Content-Language": language},
    )


class _TooLarge(Exception):
    """The body passes the limit."""


async def _body_of(request: web.Request, limit: int) -> bytes:
    length = request.content_length
    if length is not None and length > limit:
        raise _TooLarge
    if not request.body_exists:
        return b""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _forwarded(request: web.Request) -> CIMultiDict[str]:
    """The caller's headers, less what only the edge and the engine may say."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in request.headers.items():
        lower = name.lower()
        if lower in HOP_BY_HOP or lower.startswith(("x-amz-", "x-forwarded-", "x-ministack-")):
            continue
        if lower != "content-length":
            headers.add(name, value)
    headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Host"] = request.headers.get(hdrs.HOST, "")
    return headers


def _returned(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The API's headers, with ours; its own stand where both speak."""
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower not in HOP_BY_HOP and lower not in ("content-length", "date", "server"):
            kept.add(name, value)
    for name, value in edge_rules.SECURITY_HEADERS.items():
        kept.setdefault(name, value)
    kept.setdefault("Cache-Control", "no-store")
    return kept


async def serve(*, port: int, engine_url: str, api_id: str, web_root: Path, limit_rates: bool) -> None:
    """Serves on 127.0.0.1 until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=60, ttl_dns_cache=300)
    timeout = aiohttp.ClientTimeout(total=UPSTREAM_TIMEOUT_SECONDS, sock_connect=2)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    ) as session:
        edge = Edge(
            engine_url=engine_url, api_id=api_id, web_root=web_root, session=session, limit_rates=limit_rates
        )
        server = web.Server(edge.named, access_log=None, keepalive_timeout=75)  # type: ignore[arg-type]  # `named` answers with a response, as aiohttp asks
        runner = web.ServerRunner(server, shutdown_timeout=2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=512)
        await site.start()
        await stop.wait()
        await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Command line of the edge."""
    parser = argparse.ArgumentParser(prog="infra.local.edge", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--api", required=True)
    parser.add_argument("--web", type=Path, default=ROOT / "web")
    parser.add_argument(
        "--limit-rates",
        action="store_true",
        help="refuse as the firewall does; off, because on one machine everybody has the same address",
    )
    options = parser.parse_args(arguments)
    if not port_is_free(options.port):
        return EXIT_PORT_TAKEN
    asyncio.run(
        serve(
            port=options.port,
            engine_url=options.engine,
            api_id=options.api,
            web_root=options.web,
            limit_rates=options.limit_rates,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
