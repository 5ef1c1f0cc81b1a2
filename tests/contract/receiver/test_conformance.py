"""`avarez conformance` passes our receiver, and finds each mistake of others by the case that names it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from avarez.clock import SystemClock
from avarez_cli import conformance
from avarez_cli.conformance import CASES, Finding, bodies, trial
from avarez_cli.conformance.city import MadeUpCity
from avarez_cli.conformance.pulling import Pulled
from avarez_cli.main import main
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.recovering import Pull, Recoverer
from avarez_cli.receiver.taking import Answer, Receiver
from tests.contract.receiver import defects
from tests.contract.receiver.defects import NEW_SECRET, SECRET, Defect

CITY = "TEHRAN"
FETCHED_WITHIN_S = 10.0
NOT_FETCHED_WITHIN_S = 0.3


def no_defect(asked: defects.Asked, good: defects.Good) -> Answer:
    return good(asked)


@pytest.fixture
def listening() -> Iterator[Callable[[Defect], str]]:
    """Starts a receiver with a mistake; what is given back is its address."""
    made: list[ThreadingHTTPServer] = []

    def start(defect: Defect) -> str:
        books = Books(Path(":memory:"), CITY)
        receiver = Receiver(books, lambda: [SECRET, NEW_SECRET], SystemClock().now)
        made.append(defects.server(receiver, defect))
        threading.Thread(target=made[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{made[-1].server_address[1]}/hook"

    yield start
    for one in made:
        one.shutdown()
        one.server_close()


class Tried:
    """A receiver with a mistake, tried; `books` are what it made of it."""

    def __init__(self, defect: Defect, *, fetches: bool) -> None:
        self.city = MadeUpCity(CITY)
        self.books = Books(Path(":memory:"), CITY)
        clock = SystemClock()
        pulled = Pulled(self.city, 0)
        pull = Pull(pulled.origin, "officer", CITY)
        recoverer = Recoverer(self.books, pull, clock.now, lambda words: None, 3_600)
        recoverer.start()
        wake = recoverer.wake if fetches else lambda: None
        listening = defects.server(Receiver(self.books, lambda: [SECRET, NEW_SECRET], clock.now, wake), defect)
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            url = urlsplit(f"http://127.0.0.1:{listening.server_address[1]}/hook")
            within_s = FETCHED_WITHIN_S if fetches else NOT_FETCHED_WITHIN_S
            on_trial = trial.Trial(url, [SECRET, NEW_SECRET], self.city, clock.now, pulled, within_s)
            self.found: list[Finding] = conformance.tried(on_trial)
        finally:
            listening.shutdown()
            listening.server_close()
            recoverer.stop()
            pulled.close()

    @property
    def failed(self) -> set[str]:
        return {one.case.name for one in self.found if one.result != "passed"}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PIECE_PAUSE_S", 0.01)
    monkeypatch.setenv("AVAREZ_PASSWORD", "any")


def test_our_receiver_passes_every_case_and_has_the_citys_ledger() -> None:
    tried = Tried(no_defect, fetches=True)
    assert [(one.case.name, one.seen) for one in tried.found if one.result != "passed"] == []
    assert len(tried.found) >= 40
    ledger = {row.account: (row.debit_rial, row.credit_rial) for row in tried.books.trial_balance()}
    assert ledger == tried.city.balance()
    assert ledger["suspense"][0] == ledger["suspense"][1] > 0
    assert (tried.books.head().sequence, tried.books.head().hash) == (tried.city.sequence, tried.city.hash)


OF_SIGNATURE = {
    one.name for one in conformance.signatures.CASES if one.name.startswith(("signature", "timestamp"))
}
DEFECTS: tuple[tuple[Defect, set[str]], ...] = (
    (defects.trusts_everybody, OF_SIGNATURE | {"challenge_forged", "secret_wrong", "body_changed", "id_changed",
                                               "id_missing"}),
    (defects.reads_the_first_signature_alone, {"rotation_ours_last"}),
    (defects.knows_one_secret, {"rotation_second_secret"}),
    (defects.forgets_the_time, {"timestamp_old", "timestamp_future"}),
    (defects.reads_any_digits, {"timestamp_persian"}),
    (defects.compares_the_beginning, {"signature_short"}),
    (defects.reads_headers_as_written, {"headers_in_capitals"}),
    (defects.answers_a_challenge_with_ok, {"challenge"}),
    (defects.repeats_any_challenge, {"challenge_forged"}),
    (defects.refuses_what_it_knows, {"duplicate", "duplicate_at_once", "out_of_order", "gap", "replay"}),
    (defects.falls_over_early_messages, {"out_of_order", "gap", "gap_fetched"}),
    (defects.follows_no_chain, {"contradiction", "chain_broken"}),
    (defects.proves_no_hash, {"content_changed"}),
    (defects.takes_any_city, {"other_city"}),
    (defects.knows_its_types, {"unknown_type", "from_suspense"}),
    (defects.expects_a_gateway, {"from_suspense"}),
    (defects.knows_its_members, {"unknown_members"}),
    (defects.sorts_by_letters, {"awkward_text"}),
    (defects.reads_64_kb, {"large"}),
    (defects.crashes_over_broken_text, {"no_json", "no_utf8"}),
    (defects.wants_the_bare_content_type, {"charset"}),
    (defects.takes_any_content_type, {"media_type"}),
    (defects.answers_get, {"method_get"}),
)  # fmt: skip


@pytest.mark.parametrize(("defect", "cases"), DEFECTS, ids=[one.__name__ for one, _ in DEFECTS])
def test_mistake_is_found_by_the_case_that_names_it(defect: Defect, cases: set[str]) -> None:
    tried = Tried(defect, fetches=True)
    assert cases <= tried.failed, tried.found
    assert tried.failed <= cases | {"alive"}, [(one.case.name, one.seen) for one in tried.found if one.seen]


def test_receiver_that_never_fetches_is_found() -> None:
    assert "gap_fetched" in Tried(no_defect, fetches=False).failed


def test_slow_receiver_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "QUICK_MS", -1)
    (slow,) = [one for one in Tried(no_defect, fetches=True).found if one.result != "passed"]
    assert (slow.case.name, slow.result) == ("quick", "advice")


def test_command_says_in_both_languages_and_by_its_exit_code_what_it_found(
    listening: Callable[[Defect], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", encoding="ascii")
    given = ["conformance", "--secret", str(secret)]
    assert main([*given, listening(no_defect)]) == 0
    shown = capsys.readouterr().out
    assert "قبول | PASSED" in shown
    assert "NOT CHECKED: 2" in shown
    assert main([*given, listening(defects.reads_64_kb), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["counted"]["failed"] == 1
    assert {one["case"]: one["seen"] for one in told["cases"] if one["result"] == "failed"}.keys() == {"large"}
    assert {row["account"] for row in told["ledger"]} >= {f"municipality_payable:{CITY}", "refunds_payable"}
    advised = listening(defects.takes_any_city)
    assert main([*given, advised]) == 0
    assert "توصیه | ADVICE: 1" in capsys.readouterr().out
    assert main([*given, listening(defects.takes_any_city), "--strict"]) == 1
    assert main([*given, "http://127.0.0.1:9/"]) == 1


def test_second_run_goes_on_where_the_first_one_ended(
    listening: Callable[[Defect], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n{NEW_SECRET}\n", encoding="ascii")
    given = ["conformance", "--secret", str(secret), "--json", listening(no_defect)]
    assert main(given) == 0
    first = json.loads(capsys.readouterr().out)
    assert main([*given, "--after", str(first["sequence"]), "--after-hash", first["hash"]]) == 0
    assert main(given) == 1


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["ftp://city.example/"],
        ["https://"],
        ["http://127.0.0.1:9/", "--municipality", "ATLANTIS"],
        ["http://127.0.0.1:9/", "--after", "-1"],
        ["http://127.0.0.1:9/", "--after-hash", "x"],
    ],
)
def test_wrong_use_of_the_command_is_named(more: list[str], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="ascii")
    assert main(["conformance", *more, "--secret", str(secret)]) == 2


def test_secret_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    for text in ("", "whsec_short", "secret"):
        secret.write_text(text, encoding="ascii")
        assert main(["conformance", "http://127.0.0.1:9/", "--secret", str(secret)]) == 2
    assert main(["conformance", "http://127.0.0.1:9/"]) == 2
    assert main(["conformance", "http://127.0.0.1:9/", "--secret", str(tmp_path / "none")]) == 2


def test_list_names_every_case_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [one.name for one in CASES]
    assert len(set(names)) == len(names)
