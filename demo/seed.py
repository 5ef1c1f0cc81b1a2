"""Loads the demonstration into a running local system: accounts, tariff, vehicle rolls.

Idempotent and resumable: each step leaves a mark in `seed.json` of the data folder once it is done, and each may
be done twice. Accounts, the cities' bank accounts and the tariff are an administrator's work; rolls go through the
public API as a municipality would send them.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from avarez import keys
from avarez.assessment.tariff import load_tariff
from avarez.changes.change import Subject
from avarez.changes.change_table import ChangeTable
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table, transact
from avarez.quotes.store import TariffStore, put_municipality_settings
from functions.identity.accounts import create_account
from functions.identity.groups import GROUP_SCOPES
from functions.pay.accounts.deciding import Desk

DEMO = Path(__file__).resolve().parent
ROLL_TIMEOUT_SECONDS = 120.0
REQUEST_TIMEOUT_SECONDS = 60.0
ROLLS_AT_ONCE = 3
POLL_SECONDS = 0.1
TRIES_WHEN_BUSY = 5
BUSY = (429, 502, 503, 504)
"""On a loaded machine a function's first start may take longer than its time limit: its second does not."""
TERMINALS = {"T-101": "OFFICE-TEHRAN-101", "T-202": "OFFICE-MASHHAD-202"}
SETTINGS: dict[str, dict[str, int | str]] = {
    "TEHRAN": {
        "first_duty_year": 1395,
        "rounding_unit_rial": 1_000,
        "settlement_mode": "direct",
        "bill_company_code": 101,
    },
    "MASHHAD": {
        "first_duty_year": 1395,
        "rounding_unit_rial": 1_000,
        "settlement_mode": "direct",
        "bill_company_code": 102,
    },
    "ISFAHAN": {
        "first_duty_year": 1395,
        "rounding_unit_rial": 1_000,
        "settlement_mode": "direct",
        "bill_company_code": 103,
    },
    "SHIRAZ": {
        "first_duty_year": 1395,
        "rounding_unit_rial": 1_000,
        "settlement_mode": "collect",
        "bill_company_code": 104,
    },
    "TABRIZ": {
        "first_duty_year": 1395,
        "rounding_unit_rial": 1_000,
        "settlement_mode": "collect",
        "bill_company_code": 105,
    },
}
"""What the five cities of the demonstration have decided for themselves."""
ACCOUNTS = {
    "TEHRAN": "IR560170140500000000000101",
    "MASHHAD": "IR120120140500000000000202",
    "ISFAHAN": "IR600180140500000000000303",
    "SHIRAZ": "IR940160140500000000000404",
    "TABRIZ": "IR050130140500000000000505",
}
"""Invented numbers with true check digits: the account to which each city's money would be transferred."""


PLATFORM: dict[str, str] = {
    "name": "سامانهٔ عوارض خودرو (نمایشی)",
    "iban": "IR580540105180021273113007",
    "bic": "BMJIIRTHXXX",
}
"""Our own account of the demonstration, from which cities are paid: invented as well."""


class SeedError(Exception):
    """The demonstration could not be loaded."""


class Running(Protocol):
    """What seeding needs of a running system."""

    origin: str
    data_dir: Path

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        ...

    def admin(self, service: str) -> Any:
        """A boto3 client with the owner's rights."""
        ...


class Marks:
    """Which steps are done, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._done: dict[str, str] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            self._done = {}
        self._lock = threading.Lock()

    def done(self, step: str, content: str) -> bool:
        """Whether the step was done with this content."""
        return self._done.get(step) == content

    def mark(self, step: str, content: str) -> None:
        """The step is done with this content."""
        with self._lock:
            self._done[step] = content
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(self._done, indent=1, sort_keys=True) + "\n", "utf-8")
            os.replace(temporary, self._path)


def demo_accounts() -> list[dict[str, Any]]:
    """The accounts of `demo/accounts.json`."""
    accounts: list[dict[str, Any]] = json.loads((DEMO / "accounts.json").read_text("utf-8"))
    return accounts


def demo_rolls() -> list[tuple[str, Path]]:
    """Municipality and file of every roll of the demonstration; the municipality stands in the first row."""
    found = []
    for path in [DEMO / "roll_sample.csv", *sorted((DEMO / "rolls").glob("*.csv"))]:
        with open(path, encoding="utf-8-sig") as file:
            file.readline()
            found.append((file.readline().split(",", 1)[0], path))
    return found


def seed(system: Running, *, rolls: list[tuple[str, Path]] | None = None, say: Callable[[str], None]) -> None:
    """The demonstration is loaded, and `accounts.json` in the data folder lists who may sign in.

    Raises: SeedError.
    """
    marks = Marks(system.data_dir / "seed.json")
    _accounts(system, marks, say)
    _tariff(system, marks, say)
    _settings(system, marks)
    _bank_accounts(system, marks)
    _terminals(system, marks)
    _rolls(system, marks, demo_rolls() if rolls is None else rolls, say)


def _accounts(system: Running, marks: Marks, say: Callable[[str], None]) -> None:
    accounts = demo_accounts()
    outputs = system.outputs
    content = _digest(json.dumps([accounts, outputs["UserPoolId"], GROUP_SCOPES]).encode())
    listed = system.data_dir / "accounts.json"
    if marks.done("accounts", content) and listed.exists():
        return
    say("accounts … · حساب‌ها …")
    for account in accounts:
        create_account(
            cognito=system.admin("cognito-idp"),
            dynamodb=system.admin("dynamodb"),
            user_pool_id=outputs["UserPoolId"],
            identity_table=outputs["IdentityTableName"],
            username=account["username"],
            password=account["password"],
            group=account["group"],
            municipality=account.get("municipality"),
            office=account.get("office"),
            serves=account.get("serves", ()),
            name=account["title_fa"],
        )
    public = ("username", "password", "group", "municipality", "office")
    shown = [{name: account[name] for name in public if name in account} for account in accounts]
    listed.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n", "utf-8")
    marks.mark("accounts", content)


def _tariff(system: Running, marks: Marks, say: Callable[[str], None]) -> None:
    folder = DEMO / "tariffs"
    files = sorted(folder.glob("*.json"))
    content = _digest(*(path.name.encode() + path.read_bytes() for path in files))
    if marks.done("tariff", content):
        return
    say("tariff … · تعرفه …")
    store = TariffStore(
        Table(system.outputs["DutyTableName"], system.admin("dynamodb")),
        system.outputs["TariffBucketName"],
        system.admin("s3"),
    )
    store.install(load_tariff(folder), to_rfc3339(datetime.now(UTC)))
    marks.mark("tariff", content)


def _settings(system: Running, marks: Marks) -> None:
    content = _digest(json.dumps([SETTINGS, PLATFORM], sort_keys=True).encode())
    if not marks.done("settings", content):
        table = Table(system.outputs["DutyTableName"], system.admin("dynamodb"))
        put_municipality_settings(table, list(SETTINGS.items()))
        transact([table.put(keys.platform_setting(), PLATFORM)], dynamodb=table.dynamodb)
        marks.mark("settings", content)


def _bank_accounts(system: Running, marks: Marks) -> None:
    content = _digest(json.dumps(ACCOUNTS, sort_keys=True).encode())
    if marks.done("bank accounts", content):
        return
    store = ChangeTable(Table(system.outputs["LedgerTableName"], system.admin("dynamodb")))
    desk = Desk(store, lambda _: {}, SystemClock(), lambda _: None)
    for city, iban in ACCOUNTS.items():
        if desk.account_in_force(city, desk.clock.now()) is None:
            left = store.open(city, Subject.ACCOUNT)
            holder = f"Municipality of {city.title()} (demonstration)"
            change = left or desk.propose_account(
                city, iban=iban, holder=holder, reason="first registration", by="demonstration"
            )
            desk.approve(city, change.change_id, by="demonstration-2")
    marks.mark("bank accounts", content)


def _terminals(system: Running, marks: Marks) -> None:
    """Each demonstration office has a terminal, so that a clerk can sell at one."""
    content = _digest(json.dumps(TERMINALS, sort_keys=True).encode())
    if marks.done("terminals", content):
        return
    token = _operator(system)
    for terminal, office in TERMINALS.items():
        told = {"office": office, "acquirer": "demonstration"}
        status, answer = call(system.origin, "PUT", f"/v1/terminals/{terminal}", told, token)
        if status != 200:
            raise SeedError(f"{terminal}: {status} {answer}")
    marks.mark("terminals", content)


def _operator(system: Running) -> str:
    operator = next(account for account in demo_accounts() if account["group"] == "operator")
    return sign_in(system.origin, operator["username"], operator["password"])


def _rolls(system: Running, marks: Marks, rolls: list[tuple[str, Path]], say: Callable[[str], None]) -> None:
    wanted = [(city, path, _digest(path.read_bytes())) for city, path in rolls]
    missing = [one for one in wanted if not marks.done(f"roll {one[1].name}", one[2])]
    if not missing:
        return
    say(f"vehicle rolls: {', '.join(city for city, _, _ in missing)} … · فهرست خودروها …")
    token = _operator(system)

    stop = threading.Event()

    def load(one: tuple[str, Path, str]) -> dict[str, Any]:
        city, path, content = one
        told = import_roll(system.origin, token, city, path.read_bytes(), stop)
        marks.mark(f"roll {path.name}", content)
        return {"municipality": city, **told}

    pool = ThreadPoolExecutor(max_workers=ROLLS_AT_ONCE)
    try:
        for told in pool.map(load, missing):
            say(
                f"  {told['municipality']}: {told.get('rows_read', '?')} rows, "
                f"{told.get('added', '?')} added, {told.get('refused', '?')} refused"
            )
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def sign_in(origin: str, username: str, password: str) -> str:
    """An access token for this account."""
    status, told = call(origin, "POST", "/v1/tokens", {"username": username, "password": password})
    if status != 200:
        raise SeedError(f"signing in as {username}: {status} {told}")
    return str(told["access_token"])


def import_roll(
    origin: str, token: str, municipality: str, content: bytes, stop: threading.Event
) -> dict[str, Any]:
    """The roll is visible: uploaded, checked, previewed, committed; the preview's figures.

    Raises: SeedError when it is refused, not committed in time, or told to stop.
    """
    status, roll = call(origin, "POST", "/v1/rolls", {"municipality": municipality}, token)
    if status != 201:
        raise SeedError(f"{municipality}: the roll was refused: {status} {roll}")
    _upload(roll["upload"], content)
    path = f"/v1/rolls/{roll['roll_id']}"
    preview = _until(origin, path, token, "previewed", stop)
    status, told = call(origin, "POST", f"{path}/commit", {}, token)
    if status not in (200, 202):
        raise SeedError(f"{municipality}: commit: {status} {told}")
    _until(origin, path, token, "committed", stop)
    return preview


def _until(origin: str, path: str, token: str, wanted: str, stop: threading.Event) -> dict[str, Any]:
    deadline = time.monotonic() + ROLL_TIMEOUT_SECONDS
    told: dict[str, Any] = {}
    while time.monotonic() < deadline:
        status, told = call(origin, "GET", path, None, token)
        if status == 200 and told["status"] == wanted:
            return told
        if status != 200 or told["status"] in ("failed", "rolled_back"):
            raise SeedError(f"{path}: {status} {told}")
        if stop.wait(POLL_SECONDS):
            raise SeedError("stopped")
    raise SeedError(f"{path}: not {wanted} within {ROLL_TIMEOUT_SECONDS:.0f} s: {told}")


def _upload(upload: dict[str, Any], content: bytes) -> None:
    fields = upload.get("fields")
    if fields:
        boundary = f"avarez-{hashlib.sha256(content).hexdigest()[:32]}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="roll.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n".encode()
        )
        body = b"".join([*parts, content, f"\r\n--{boundary}--\r\n".encode()])
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        method = "POST"
    else:
        body, headers, method = content, {"content-type": "text/csv", **upload.get("headers", {})}, "PUT"
    request = urllib.request.Request(upload["url"], data=body, method=method, headers=headers)  # noqa: S310 - our own storage
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS):  # noqa: S310 - our own storage
            return
    except urllib.error.HTTPError as error:
        raise SeedError(f"upload: {error.code} {error.read()[:500]!r}") from error


def call(
    origin: str, method: str, path: str, body: Any = None, token: str | None = None, *, key: str | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of one call of the public API; repeated a few times while the service is busy or late.

    So it takes only what may be done twice, or what carries the idempotency key `key`.

    Raises: SeedError when no answer came at all.
    """
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if key is not None:
        headers["idempotency-key"] = key
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(TRIES_WHEN_BUSY):
        request = urllib.request.Request(f"{origin}{path}", data=data, method=method, headers=headers)  # noqa: S310 - our own origin
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own origin
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            content = error.read()
            if error.code not in BUSY or attempt == TRIES_WHEN_BUSY - 1:
                try:
                    return error.code, json.loads(content or b"{}")
                except ValueError:
                    return error.code, {"detail": content[:500].decode("utf-8", "replace")}
        except OSError as error:  # no connection, a broken one, or no answer in time
            if attempt == TRIES_WHEN_BUSY - 1:
                raise SeedError(f"{method} {path}: {error}") from error
        time.sleep(0.2 * 2**attempt)
    raise AssertionError("the last attempt answers or raises")


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part + b"\0")
    return digest.hexdigest()
