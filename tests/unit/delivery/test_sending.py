"""One message on a real socket, and every way in which an endpoint can fail (scenario 33).

The server is on this machine, which no endpoint may be: only here its address is let through.
"""

from __future__ import annotations

import datetime
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.pay.delivery.wire import sending
from functions.pay.delivery.wire.sending import ANSWER_BYTES_MAX, Failure, Sender
from functions.pay.delivery.wire.target import Target

NAME = "city.example.ir"
BODY = b'{"type":"payment.settled"}'
Reply = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            return

    return reply


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: each read comes in time, the whole never does."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        for _ in range(100):
            handler.wfile.write(b"a")
            time.sleep(0.05)
    except OSError:
        return


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


@contextmanager
def serving(
    reply: Reply, context: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[tuple[str, str, bytes]]]]:
    taken: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.path, self.headers["host"], body))
            reply(self)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """A client that hangs up is what these tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plain(port: int, path: str = "/hook") -> Target:
    return Target("127.0.0.1", port, path, secure=False)


def post(port: int, timeout_s: float = 5) -> sending.Answer:
    return Sender(loopback_allowed=True, timeout_s=timeout_s).post(plain(port), {"webhook-id": "ev_1"}, BODY)


def test_a_message_arrives_as_it_was_signed() -> None:
    with serving(answer(204)) as (port, taken):
        told = post(port)
    assert told.taken
    assert (told.status, told.failure, told.address) == (204, None, "127.0.0.1")
    assert taken == [("/hook", f"127.0.0.1:{port}", BODY)]


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 502, 503])
def test_what_is_not_2xx_is_not_taken_and_no_redirect_is_followed(status: int) -> None:
    with serving(answer(status, location="http://127.0.0.1:1/")) as (port, taken):
        told = post(port)
    assert (told.status, told.taken, len(taken)) == (status, False, 1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-5", None),
        ("۵", None),
        ("9" * 20, None),
    ],
)
def test_retry_after_is_whole_seconds_or_nothing(text: str, seconds: int | None) -> None:
    with serving(answer(429, retry_after=text.encode("utf-8").decode("latin-1"))) as (port, _):
        assert post(port).retry_after_s == seconds


def test_a_long_answer_is_cut() -> None:
    with serving(answer(200, b"x" * 10_000_000)) as (port, _):
        told = post(port)
    assert (told.status, len(told.body)) == (200, ANSWER_BYTES_MAX)


def test_who_drips_is_held_to_one_deadline() -> None:
    with serving(drip) as (port, _):
        told = post(port, timeout_s=0.4)
    assert (told.status, told.failure) == (None, Failure.TIMED_OUT)
    assert told.elapsed_ms < 3_000


def test_what_speaks_no_http_is_told() -> None:
    with serving(garbage) as (port, _):
        assert post(port).failure is Failure.ANSWER_UNREADABLE


def test_nobody_there() -> None:
    with serving(answer(204)) as (port, _):
        pass
    assert post(port).failure is Failure.NOT_CONNECTED


@pytest.fixture(scope="module")
def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate("Authority of this test", key.public_key(), None, key, days=30), key


def certificate(
    name: str,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


@pytest.mark.parametrize(
    ("name", "days", "failure"),
    [
        (NAME, 30, None),
        (NAME, -1, Failure.CERTIFICATE_REFUSED),
        ("other.example.ir", 30, Failure.CERTIFICATE_REFUSED),
    ],
)
def test_the_certificate_is_checked_against_the_name(
    name: str,
    days: int,
    failure: Failure | None,
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root, root_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    pem, key_pem = tmp_path / "chain.pem", tmp_path / "key.pem"
    pem.write_bytes(
        certificate(name, key.public_key(), root, root_key, days).public_bytes(serialization.Encoding.PEM)
    )
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    trusted = ssl.create_default_context(cadata=root.public_bytes(serialization.Encoding.PEM).decode())
    monkeypatch.setattr(sending, "is_callable", {"127.0.0.1": True}.__contains__)
    with serving(answer(200), context) as (port, taken):
        sender = Sender(resolver=lambda host, port: ["127.0.0.1"], context=lambda: trusted, timeout_s=5)
        told = sender.post(Target(NAME, port, "/hook"), {}, BODY)
    assert told.failure is failure
    assert [host for _, host, _ in taken] == ([] if failure else [f"{NAME}:{port}"])
