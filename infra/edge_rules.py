"""What stands in front of the system does: one table for CloudFront with its WAF, and for the local edge.

Plain data. infra/delivery.py makes the cloud's resources of it, infra/local the local process; a test
holds the template against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE

Origin = Literal["api", "pages"]


@dataclass(frozen=True, slots=True)
class PathRule:
    """Requests whose path matches go to the origin; `*` stands for any rest.

    An API's answer is kept only where `cached` says so, for as long as the answer itself does.
    """

    pattern: str
    origin: Origin
    cached: bool = False


PATHS: tuple[PathRule, ...] = (
    PathRule("/v1/open*", "api", cached=True),
    PathRule("/v1/*", "api"),
    PathRule("/.well-known/avarez/log/*", "api", cached=True),
    PathRule("/.well-known/avarez/status*", "api", cached=True),
    PathRule("/.well-known/*", "api"),
    PathRule("/healthz", "api"),
    PathRule("*", "pages"),
)
"""The first match decides; the last one takes the rest."""


@dataclass(frozen=True, slots=True)
class PageRule:
    """A path that shows a page; the file is named from the root of the pages (web/)."""

    pattern: str
    file: str


PAGES: tuple[PageRule, ...] = (
    PageRule("/", "office/index.html"),
    PageRule("/office", "office/index.html"),
    PageRule("/office/", "office/index.html"),
    PageRule("/city", "city/index.html"),
    PageRule("/city/", "city/index.html"),
    PageRule("/my", "owner/index.html"),
    PageRule("/my/", "owner/index.html"),
    PageRule("/open", "open/index.html"),
    PageRule("/docs", "docs/index.html"),
    PageRule("/openapi.json", "docs/openapi.json"),
    PageRule("/v", "verify/index.html"),
    PageRule("/v/*", "verify/index.html"),
)
"""Every other path of the pages names its file itself."""

PAGE_FOLDERS = ("city", "common", "docs", "office", "open", "owner", "verify")
"""What the pages are made of; nothing else under web/ is served."""

FONTS = ("Vazirmatn-Bold.woff2", "Vazirmatn-Regular.woff2")
"""Served under /fonts/, from the npm package vazirmatn."""

FONTS_PATTERN = "/fonts/*"

VENDORED: dict[str, str] = {"/vendor/qr/decode.js": "qr/decode.js", "/vendor/qr/index.js": "qr/index.js"}
"""Scripts of npm packages that pages load from our own origin, by path; the files lie in node_modules/."""

SERVICE_WORKER_PATH = "/verify/sw.js"

SERVICE_WORKER_SCOPE = "/v"
"""Wider than the script's own folder, so that the header Service-Worker-Allowed must name it."""

PAGE_CACHE = "no-cache"
"""Kept, but asked about each time: a new page is seen at once."""

FONT_CACHE = "public, max-age=31536000, immutable"

SECURITY_HEADERS: dict[str, str] = {
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every answer. Over plain HTTP a browser takes no notice of the first (RFC 6797, section 8.1)."""


def content_security_policy(storage_origins: str) -> str:
    """The policy of every page: our own files, and object storage (origins, with spaces) for PDFs and uploads."""
    storage = f" {storage_origins}" if storage_origins else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self'{storage}",
            "frame-src blob:",  # the office page shows the PDF that it fetched
            "object-src blob:",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


BODY_MAX_BYTES = 64 * KIBIBYTE
"""Of any body but a certificate's: the most that the WAF of CloudFront looks at, and JSON needs less."""

BODY_MAX_BYTES_BY_PATH: dict[str, int] = {
    "/v1/fleets": 512 * KIBIBYTE,
    "/v1/payments": 512 * KIBIBYTE,
    "/v1/verify": 4 * MEBIBYTE,
    "/v1/verifications": 512 * KIBIBYTE,
}
"""Ten thousand plates or quotes of a fleet, a PDF to be verified, five hundred payloads.

Lambda takes 6 MB, of which base64 leaves 4.5."""


BODY_REFUSED_STATUS = 413

RATE_WINDOW_S = 300
"""WAF counts in windows of one, two, five or ten minutes."""

RATE_REFUSED_STATUS = 429


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most so many requests of one address in a window, to paths that begin so."""

    name: str
    prefix: str
    requests_max: int


RATES: tuple[RateRule, ...] = (
    RateRule("SignIns", "/v1/tokens", 100),
    RateRule("OwnerSessions", "/v1/owner/sessions", 300),
    RateRule("Verifications", "/v1/verify", 1_500),
    RateRule("Everything", "/", 6_000),
)
"""Per address: an office of twenty clerks behind one address makes some 2,000 in five minutes."""


def goes_to_api(path: str) -> bool:
    """Whether a request for the path is the API's; the rest are pages."""
    return next(rule.origin for rule in PATHS if matches(rule.pattern, path)) == "api"


def page_of(path: str) -> str | None:
    """The file that a path of the pages shows, from the root of the pages; None where there is nothing."""
    for rule in PAGES:
        if matches(rule.pattern, path):
            return rule.file
    folder, _, rest = path.removeprefix("/").partition("/")
    return path.removeprefix("/") if rest and folder in PAGE_FOLDERS else None


def body_max_bytes(path: str) -> int:
    """The largest body that a request to the path may have."""
    return BODY_MAX_BYTES_BY_PATH.get(path, BODY_MAX_BYTES)


def matches(pattern: str, path: str) -> bool:
    """Whether the path is the pattern, or begins as the pattern does before its final star."""
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return path == pattern
