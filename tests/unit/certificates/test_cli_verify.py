"""`avarez verify`: offline, with pinned keys."""

from __future__ import annotations

import base64
import csv
import io
import json
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from avarez.certificates import link
from avarez.certificates.offline import listed
from avarez.clock import from_rfc3339
from avarez_cli import verify, verify_rows
from avarez_cli.main import main
from tests.data.certificate_vectors import JWKS, LOG, ORIGIN, PATH, SAMPLE, STRANGER, message_of
from tests.unit.certificates.test_document import pdf_of, record

SIGNED = record()
MESSAGE = SIGNED.message or b""
LINK = link.to_link(MESSAGE, ORIGIN)

DOCUMENT: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
COMPROMISE, LISTED = DOCUMENT["compromise"], DOCUMENT["listed"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(JWKS), encoding="utf-8")
    return path


@pytest.mark.parametrize("shown", [LINK, link.to_digits(MESSAGE), f"  {LINK}\n"], ids=["link", "digits", "spaces"])
def test_good_certificate(keys: Path, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", shown, "--keys", str(keys)]) == 0
    printed = capsys.readouterr().out
    assert "SIGNATURE GOOD, status not checked" in printed
    assert "امضا درست است" in printed
    assert "12 B 345 - Iran 67" in printed


def test_pdf_and_standard_input(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pdf = tmp_path / "certificate.pdf"
    pdf.write_bytes(pdf_of(SIGNED))
    assert main(["verify", str(pdf), "--keys", str(keys), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["status_checked"]) == ("valid", False)
    assert told["certificate"]["amount_rial"] == str(SIGNED.amount_rial)
    monkeypatch.setattr("sys.stdin", io.StringIO(LINK))
    assert main(["verify", "-", "--keys", str(keys)]) == 0


def test_negative_verdicts_exit_with_1(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(b"%PDF-1.7")
    stranger = link.to_link(message_of(b"\xa0", STRANGER), ORIGIN)
    for shown, word in (
        (LINK[:-1] + str((int(LINK[-1]) + 1) % 10), "TAMPERED"),
        (LINK[:-1], "UNREADABLE"),
        (stranger, "UNKNOWN"),
        (str(other), "UNREADABLE"),
    ):
        assert main(["verify", shown, "--keys", str(keys)]) == 1
        assert word in capsys.readouterr().out


def test_link_to_a_look_alike_is_refused(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = LINK.replace("avarez.example", "avarez.example.evil.test")
    assert main(["verify", fake, "--keys", str(keys), "--origin", ORIGIN]) == 1
    assert "foreign_origin" in capsys.readouterr().out
    assert main(["verify", LINK, "--keys", str(keys), "--origin", ORIGIN]) == 0


def test_keys_come_from_the_environment_too(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVAREZ_KEYS", str(keys))
    assert main(["verify", LINK]) == 0


@pytest.mark.parametrize("content", [None, "{", '{"keys": 5}'], ids=["missing", "no JSON", "no keys"])
def test_without_keys_it_says_what_to_do(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main(["verify", LINK, "--keys", str(path)]) == 2
    assert "keys" in capsys.readouterr().err


def test_file_that_is_not_there_is_wrong_use(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "nowhere.pdf", "--keys", str(keys)]) == 2
    assert "nowhere.pdf" in capsys.readouterr().err


@pytest.mark.parametrize(
    "vector", [one for one in COMPROMISE if "proof" in one], ids=lambda vector: vector["name"]
)
def test_proof_file_decides_on_the_certificates_of_a_stolen_key(
    keys: Path, tmp_path: Path, vector: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    proof, log_key = tmp_path / "certificate.tlog-proof", tmp_path / "log-key"
    proof.write_text(vector["proof"], encoding="utf-8")
    log_key.write_text(LOG.key.note_key.text + "\n", encoding="utf-8")
    asked = ["--keys", str(keys), "--log-proof", str(proof), "--log-key", str(log_key), "--json"]
    is_good = vector["verdict"] == "signature_good"
    assert main(["verify", vector["input"], *asked]) == (0 if is_good else 1)
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["reason"]) == ("valid" if is_good else vector["verdict"], vector["reason"])


def test_log_proof_without_the_logs_key_is_wrong_use(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = tmp_path / "certificate.tlog-proof"
    proof.write_text(COMPROMISE[0]["proof"], encoding="utf-8")
    asked = ["verify", COMPROMISE[0]["input"], "--keys", str(keys), "--log-proof", str(proof)]
    monkeypatch.setenv("AVAREZ_LOG_KEY", str(tmp_path / "nowhere"))
    assert main(asked) == 2
    assert "--log-key" in capsys.readouterr().err
    monkeypatch.setenv("AVAREZ_LOG_KEY", LOG.key.note_key.text)
    assert main(asked) == 0


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach anything is a failure."""

    def refused(*_: object) -> None:
        raise AssertionError("the command line reached for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def at(monkeypatch: pytest.MonkeyPatch, instant: str) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return from_rfc3339(instant)

    monkeypatch.setattr(verify, "datetime", Then)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("vector", [one for one in LISTED if one["lists"]], ids=lambda vector: vector["name"])
def test_status_without_a_network(
    keys: Path,
    tmp_path: Path,
    vector: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at(monkeypatch, vector["now"])
    (tmp_path / "lists").mkdir()
    names = ["whole.cwt", "17.cwt"] if len(vector["lists"]) > 1 else ["status"]
    for name, token in zip(names, vector["lists"], strict=True):
        (tmp_path / "lists" / name).write_bytes(base64.b64decode(token))
    places = [tmp_path / "lists"] if len(names) > 1 else [tmp_path / "lists", tmp_path / "lists" / "status"]
    for place in places:
        asked = ["verify", vector["input"], "--keys", str(keys), "--status", str(place)]
        assert main([*asked, "--json"]) == (0 if vector["verdict"] == "valid" else 1)
        told = json.loads(capsys.readouterr().out)
        assert (told["verdict"], told["reason"]) == (vector["verdict"], vector["reason"])
        assert told["status_as_of"] == vector["status_as_of"]
        main(asked)
        printed = capsys.readouterr().out
        if vector["reason"] == "status_too_old":
            assert f"CANNOT TELL since {vector['status_as_of']}" in printed
        elif vector["reason"] == "in_force":
            assert f"VALID (status as of {vector['status_as_of']})" in printed


@pytest.mark.usefixtures("no_network")
def test_status_that_is_missing_cannot_tell(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", LINK, "--keys", str(keys), "--status", str(tmp_path)]) == 1
    assert "CANNOT TELL (status_not_listed)" in capsys.readouterr().out
    assert main(["verify", LINK, "--keys", str(keys), "--status", str(tmp_path / "nowhere")]) == 2


@pytest.mark.usefixtures("no_network")
def test_batch_gives_one_verdict_a_row(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by_name = {one["name"]: one for one in LISTED}
    in_force, ended = by_name["in_force"], by_name["revoked"]
    at(monkeypatch, in_force["now"])
    (tmp_path / "certificate.pdf").write_bytes(pdf_of(SIGNED))
    shown = [in_force["input"], "certificate.pdf", "nowhere.pdf", LINK[:-1], "-"]
    lines = ["plate,certificate", *(f"{number},{one}" for number, one in enumerate(shown)), "6"]
    (tmp_path / "batch.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    asked = ["verify", "--batch", str(tmp_path / "batch.csv"), "--keys", str(keys), "--status"]
    (tmp_path / "17.cwt").write_bytes(base64.b64decode(in_force["lists"][0]))
    assert main([*asked, str(tmp_path)]) == 1
    told = list(csv.DictReader(io.StringIO(capsys.readouterr().out.lstrip("\ufeff"))))
    assert [row["row"] for row in told] == ["1", "2", "3", "4", "5", "6"]
    assert [row["verdict"] for row in told] == ["valid", "cannot_tell", *["unreadable"] * 4]
    assert told[1]["reason"] == "status_not_listed", "its shard is not among the kept ones"
    assert told[0]["status_as_of"] == in_force["status_as_of"]
    assert (told[0]["plate"], told[0]["certificate_id"]) == ("12B345-67", SAMPLE.certificate_id)
    (tmp_path / "17.cwt").write_bytes(base64.b64decode(ended["lists"][0]))
    (tmp_path / "batch.csv").write_text(f"certificate\n{in_force['input']}\n", encoding="utf-8")
    assert main([*asked, str(tmp_path)]) == 1
    assert '"1","revoked","revoked"' in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"link\n1\n", b"certificate\n\xff\n", b"certificate\n" + b"1" * 9_000])
def test_batch_that_is_no_table_is_wrong_use(
    keys: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "batch.csv").write_bytes(content)
    assert main(["verify", "--batch", str(tmp_path / "batch.csv"), "--keys", str(keys)]) == 2
    assert "batch.csv" in capsys.readouterr().err


def test_batch_reads_the_status_list_once(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_force = next(one for one in LISTED if one["name"] == "whole_in_force")
    at(monkeypatch, in_force["now"])
    (tmp_path / "status").write_bytes(base64.b64decode(in_force["lists"][0]))
    (tmp_path / "batch.csv").write_text("certificate\n" + f"{in_force['input']}\n" * 200, encoding="utf-8")
    reads, real = [], listed.read_lists

    def counted(*given: Any) -> Any:
        reads.append(given)
        return real(*given)

    monkeypatch.setattr(verify_rows, "read_lists", counted)
    asked = ["verify", "--batch", str(tmp_path / "batch.csv"), "--keys", str(keys)]
    assert main([*asked, "--status", str(tmp_path / "status")]) == 0
    assert len(reads) == 1
