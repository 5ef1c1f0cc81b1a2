"""The store of payments: one suite over the fake of the unit tests and over DynamoDB (moto)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from avarez import keys
from avarez.clock import FixedClock, tehran_today, to_rfc3339
from avarez.dynamo import Table, transact
from avarez.errors import DutyLocked, DutyPaid, ReferenceReused, TransactionRefused
from avarez.journal import YearAmount
from functions.pay.payments.ports import Store
from functions.pay.rules.ledger import settled_entry, suspense_entry
from functions.pay.rules.records import Chunk, ChunkState, Event, Member, Payment, Quote, Replay
from functions.pay.rules.states import Occurrence, Status
from functions.pay.stores.payment_store import DynamoStore
from tests.unit.payments.payments_fake import NOON, FakeStore, quote

PREFIX = "0" * 34


@dataclass
class Backend:
    store: Store
    put_quote: Callable[[Quote], None]


def make_tables() -> tuple[Table, Table]:
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    for name in ("duty", "ledger"):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
    return Table("duty", dynamodb), Table("ledger", dynamodb)


def quote_writer(duty: Table) -> Callable[[Quote], None]:
    """Writes quotes as the assessments do."""

    def put(made: Quote) -> None:
        key = keys.assessment(made.municipality, made.plate, made.assessment_id)
        item = {
            "assessment_id": made.assessment_id,
            "municipality": made.municipality,
            "plate": made.plate,
            "vehicle_id": made.vehicle_id,
            "as_of": made.as_of.isoformat(),
            "expires_at": to_rfc3339(made.expires_at),
            "years": [{"year": part.year, "amount_rial": part.amount_rial} for part in made.years],
            "rounding_rial": made.rounding_rial,
            "owed_rial": made.owed_rial,
            "trace_hash": made.trace_hash,
            "tariff_version": made.tariff_version,
            "instalments": made.instalments,
        }
        pointer = {"target_pk": key[0], "target_sk": key[1], "municipality": made.municipality}
        writes = [duty.put(key, item), duty.put(keys.pointer(made.assessment_id), pointer)]
        transact(writes, dynamodb=duty.dynamodb)

    return put


@pytest.fixture(params=["fake", "dynamodb"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    if request.param == "fake":
        fake = FakeStore()
        yield Backend(fake, lambda made: fake.quotes.update({made.assessment_id: made}))
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        duty, ledger = make_tables()
        yield Backend(DynamoStore(duty, ledger), quote_writer(duty))


def payment(number: int = 1, now: datetime = NOON, **changes: Any) -> Payment:
    values: dict[str, Any] = {
        "payment_id": f"py_{PREFIX}{number:02d}",
        "assessment_id": f"as_{PREFIX}01",
        "municipality": "TEHRAN",
        "plate": "12B345-67",
        "vehicle_id": "ve_1",
        "years": (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500)),
        "rounding_rial": 500,
        "fee_rial": 0,
        "amount_rial": 1_235_000,
        "status": Status.CREATED,
        "channel": "gateway",
        "gateway": "sandbox",
        "created_by": "clerk",
        "created_at": now,
        "expires_at": now + timedelta(minutes=17),
        "verify_until_at": now + timedelta(minutes=32),
        "trace_hash": "ab" * 32,
        "tariff_version": "t",
        "open_due_at": now + timedelta(minutes=2),
        **changes,
    }
    return Payment(**values)


def create(backend: Backend, made: Payment, key: str = "") -> Payment:
    replay = Replay("clerk", "POST /v1/payments", key or made.payment_id, "hash", made.payment_id, 1_900_000_000)
    event = Event(Occurrence.CREATED, "person", made.created_at, None, Status.CREATED)
    backend.store.create(made, event, replay)
    return made


def moved(before: Payment, occurrence: Occurrence, now: datetime = NOON, **changes: Any) -> tuple[Payment, Event]:
    changes.setdefault("open_due_at", now + timedelta(seconds=45))
    after = before.next(occurrence, **changes)
    return after, Event(occurrence, "gateway", now, before.status, after.status)


def pending(backend: Backend, made: Payment) -> Payment:
    create(backend, made)
    after, event = moved(made, Occurrence.TOKEN_GIVEN, made.created_at, token="t", answer={"payment_id": "x"})
    backend.store.advance(made, after, event)
    return after


def verifying(backend: Backend, before: Payment, reference: str = "r1", now: datetime = NOON) -> Payment:
    after, event = moved(before, Occurrence.PAID_AT_GATEWAY, now, reference=reference)
    backend.store.begin_verifying(before, after, event)
    return after


def settled(backend: Backend, before: Payment, now: datetime = NOON) -> Payment:
    certificate_id = "ce_" + before.payment_id.removeprefix("py_")
    after, event = moved(
        before, Occurrence.VERIFIED, now, open_due_at=None, settled_at=now, certificate_id=certificate_id
    )
    entry = settled_entry(after, journal_id=f"je_{before.payment_id}", now=now)
    backend.store.settle(before, after, event, entry, f"ev_{before.payment_id}")
    return after


def due(backend: Backend, made: Payment, now: datetime) -> list[str]:
    return [row.payment_id for row in backend.store.due(keys.shard_of(made.payment_id), now, 10)]


def test_quote_comes_back_as_it_was_written(backend: Backend) -> None:
    made = quote(FixedClock(NOON))
    backend.put_quote(made)
    assert backend.store.quote(made.assessment_id) == made
    assert backend.store.quote("as_none") is None


def test_created_payment_comes_back_with_its_replay_and_its_open_row(backend: Backend) -> None:
    made = create(backend, payment())
    assert backend.store.payment(made.payment_id) == made
    replay = backend.store.replay("clerk", "POST /v1/payments", made.payment_id)
    assert replay is not None
    assert (replay.payment_id, replay.body_hash) == (made.payment_id, "hash")
    assert due(backend, made, NOON + timedelta(minutes=1)) == []
    assert due(backend, made, NOON + timedelta(minutes=2)) == [made.payment_id]


def test_day_of_an_office_lists_its_own_payments_newest_first_page_by_page(backend: Backend) -> None:
    opened = [
        create(backend, payment(number, office="of1", vehicle_id=f"ve_{number}", plate=f"12B34{number}-67"))
        for number in range(1, 6)
    ]
    create(backend, payment(6, office="of2", vehicle_id="ve_6", plate="12B346-67"))
    create(backend, payment(7, vehicle_id="ve_7", plate="12B347-67"))
    tomorrow = NOON + timedelta(days=1)
    create(backend, payment(8, tomorrow, office="of1", vehicle_id="ve_8", plate="12B348-67"))

    def shown(before: str, limit: int) -> list[Payment]:
        return list(backend.store.opened_by_office("of1", tehran_today(NOON), before=before, limit=limit))

    first = shown("", 3)
    assert first == [opened[4], opened[3], opened[2]]
    assert shown(first[-1].payment_id, 3) == [opened[1], opened[0]]
    assert shown(opened[0].payment_id, 3) == []
    assert shown("", 5) == opened[::-1]


def test_same_key_twice_is_refused_whole(backend: Backend) -> None:
    create(backend, payment(1), key="k")
    with pytest.raises(TransactionRefused):
        create(backend, payment(2, vehicle_id="ve_2", plate="22B222-22"), key="k")
    assert backend.store.payment(payment(2).payment_id) is None


def test_second_payer_of_one_duty_is_locked_out_whole(backend: Backend) -> None:
    create(backend, payment(1))
    overlapping = payment(
        2,
        years=(YearAmount(1402, 1_000_000), YearAmount(1403, 234_500)),
        plate="99B999-99",
        municipality="SHIRAZ",
        created_by="other",
    )
    with pytest.raises(DutyLocked) as refused:
        create(backend, overlapping)
    assert refused.value.extra == {"locked_until_at": to_rfc3339(NOON + timedelta(minutes=17))}
    assert backend.store.payment(overlapping.payment_id) is None
    only_1402 = replace(overlapping, years=(YearAmount(1402, 1_234_500),))
    create(backend, only_1402)


def test_lapsed_lease_is_taken_and_an_unlapsed_one_is_not(backend: Backend) -> None:
    create(backend, payment(1))
    with pytest.raises(DutyLocked):
        create(backend, payment(2, now=NOON + timedelta(minutes=17)))
    create(backend, payment(2, now=NOON + timedelta(minutes=17, milliseconds=1)))


def test_confirmed_lease_never_lapses(backend: Backend) -> None:
    verifying(backend, pending(backend, payment(1)))
    with pytest.raises(DutyLocked):
        create(backend, payment(2, now=NOON + timedelta(days=30)))


def test_stale_transition_is_refused(backend: Backend) -> None:
    made = create(backend, payment())
    after, event = moved(made, Occurrence.TOKEN_GIVEN, token="t")
    backend.store.advance(made, after, event)
    other, other_event = moved(made, Occurrence.TOKEN_GIVEN, token="u")
    with pytest.raises(TransactionRefused):
        backend.store.advance(made, other, other_event)
    current = backend.store.payment(made.payment_id)
    assert current is not None
    assert current.token == "t"


def test_open_row_moves_with_the_payment_and_ends_with_it(backend: Backend) -> None:
    made = pending(backend, payment())
    assert due(backend, made, NOON + timedelta(seconds=45)) == [made.payment_id]
    later = made.postponed(NOON + timedelta(seconds=90))
    backend.store.postpone(made, later)
    assert due(backend, made, NOON + timedelta(seconds=89)) == []
    closed, event = moved(later, Occurrence.WINDOW_PASSED, open_due_at=None)
    backend.store.close(later, closed, event)
    assert due(backend, made, NOON + timedelta(days=1)) == []


def test_reference_belongs_to_the_first_payment(backend: Backend) -> None:
    verifying(backend, pending(backend, payment(1)))
    other = pending(backend, payment(2, vehicle_id="ve_2", plate="22B222-22"))
    with pytest.raises(ReferenceReused):
        verifying(backend, other)
    assert backend.store.payment(other.payment_id) == other


def test_reference_given_up_may_be_another_s(backend: Backend) -> None:
    first = verifying(backend, pending(backend, payment(1)))
    after, event = moved(first, Occurrence.NOT_PAID, reference="")
    backend.store.resume_waiting(first, after, event)
    verifying(backend, pending(backend, payment(2, vehicle_id="ve_2", plate="22B222-22")))
    # and its leases lapse by time again
    create(backend, payment(3, now=NOON + timedelta(minutes=18)))


def test_lease_taken_by_another_cannot_be_confirmed(backend: Backend) -> None:
    first = pending(backend, payment(1))
    create(backend, payment(2, now=NOON + timedelta(minutes=18)))
    with pytest.raises(DutyLocked):
        verifying(backend, first, now=NOON + timedelta(minutes=19))
    assert backend.store.payment(first.payment_id) == first


def test_closing_frees_own_leases_and_leaves_those_of_others(backend: Backend) -> None:
    first = pending(backend, payment(1))
    second = create(backend, payment(2, now=NOON + timedelta(minutes=18)))
    closed, event = moved(first, Occurrence.WINDOW_PASSED, open_due_at=None)
    backend.store.close(first, closed, event)
    with pytest.raises(DutyLocked):
        create(backend, payment(3, now=NOON + timedelta(minutes=19)))
    closed, event = moved(second, Occurrence.CANCELLED, open_due_at=None)
    backend.store.close(second, closed, event)
    create(backend, payment(4, now=NOON + timedelta(minutes=19)))


def test_late_payer_takes_a_free_duty_again(backend: Backend) -> None:
    first = pending(backend, payment(1))
    closed, event = moved(first, Occurrence.WINDOW_PASSED, open_due_at=None)
    backend.store.close(first, closed, event)
    late = verifying(backend, closed, now=NOON + timedelta(minutes=20))
    assert due(backend, late, NOON + timedelta(days=1)) == [late.payment_id]
    settled(backend, late, now=NOON + timedelta(minutes=20))


def test_settled_duty_is_paid_for_ever(backend: Backend) -> None:
    after = settled(backend, verifying(backend, pending(backend, payment(1))))
    assert backend.store.payment(after.payment_id) == after
    with pytest.raises(DutyPaid):
        create(backend, payment(2, now=NOON + timedelta(days=400)))


def test_settling_twice_is_refused(backend: Backend) -> None:
    before = verifying(backend, pending(backend, payment(1)))
    settled(backend, before)
    with pytest.raises(TransactionRefused):
        settled(backend, before)


def test_events_come_back_in_order_with_those_that_changed_nothing(backend: Backend) -> None:
    made = pending(backend, payment())
    repeated = Event(
        Occurrence.CALLBACK_EARLY, "callback", NOON + timedelta(seconds=1), made.status, made.status, {"a": "b"}
    )
    assert backend.store.record(made, repeated)
    events = backend.store.events(made)
    assert [event.occurrence for event in events] == [
        Occurrence.CREATED,
        Occurrence.TOKEN_GIVEN,
        Occurrence.CALLBACK_EARLY,
    ]
    assert events[-1] == repeated


# --- DynamoDB alone -------------------------------------------------------------------------------------


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Table, Table]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield make_tables()


class LosesResponses:
    """A client whose transactions are committed and never acknowledged; the retry meets its own work."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        self._dynamodb.transact_write_items(**request)
        self.lost += 1
        if self.lost % 2:
            raise ReadTimeoutError(endpoint_url="x")
        return self._dynamodb.transact_write_items(**request)


def test_lost_responses_of_every_write_are_recognised_as_own_work(tables: tuple[Table, Table]) -> None:
    duty, ledger = tables
    flaky = LosesResponses(duty.dynamodb)
    backend = Backend(DynamoStore(Table("duty", flaky), Table("ledger", flaky)), quote_writer(duty))
    after = settled(backend, verifying(backend, pending(backend, payment(1))))
    assert backend.store.record(
        after, Event(Occurrence.CALLBACK_LATE, "callback", NOON, after.status, after.status)
    )
    other = pending(backend, payment(2, vehicle_id="ve_2", plate="22B222-22"))
    waiting = verifying(backend, other, "r2")
    closed, event = moved(waiting, Occurrence.AMOUNT_DIFFERS, open_due_at=None)
    backend.store.close(waiting, closed, event, suspense_entry(closed, 5, journal_id="je_2", now=NOON))
    assert flaky.lost >= 9
    scanned = ledger.dynamodb.scan(TableName="ledger")["Items"]
    written = Counter(item["pk"]["S"].split("#")[0] for item in scanned)
    assert written == {"OUTBOX": 3, "TEHRAN": 2}  # two entries, each with its event, and the certificate's row


def test_settle_writes_what_the_certificate_and_the_ledger_need(tables: tuple[Table, Table]) -> None:
    duty, ledger = tables
    backend = Backend(DynamoStore(duty, ledger), quote_writer(duty))
    after = settled(backend, verifying(backend, pending(backend, payment(1))))
    pointer = duty.get(keys.pointer(after.certificate_id))
    assert pointer is not None
    certificate = duty.get((pointer["target_pk"], pointer["target_sk"]))
    assert certificate is not None
    assert certificate["status"] == "preparing"
    assert certificate["years"] == [
        {"year": 1403, "amount_rial": 1_000_000},
        {"year": 1404, "amount_rial": 234_500},
    ]
    assert sum(year["amount_rial"] for year in certificate["years"]) + certificate["rounding_rial"] == 1_235_000
    obligation = duty.get(keys.obligation("TEHRAN", "12B345-67", 1403))
    assert obligation is not None
    assert (obligation["status"], obligation["amount_rial"], obligation["paid_on"]) == (
        "paid",
        1_000_000,
        "2026-11-23",
    )
    shard = keys.shard_of(after.payment_id)
    (entry,) = ledger.query(f"TEHRAN#JOURNAL#2026-11-23#{shard}")
    assert sum(posting["debit_rial"] - posting["credit_rial"] for posting in entry["postings"]) == 0
    to_chain, outbox = ledger.query(keys.outbox_partition("TEHRAN", shard))
    assert (to_chain["type"], to_chain["journal"]["journal_id"]) == ("payment.settled", entry["journal_id"])
    assert to_chain["sk"] == f"CHAIN#ev_{entry['journal_id'].removeprefix('je_')}"
    assert (outbox["certificate_id"], outbox["pending_shard"]) == (after.certificate_id, str(shard))
    assert outbox["pk"] == f"OUTBOX#TEHRAN#{outbox['pending_shard']}"
    assert outbox["created_at"] == to_rfc3339(NOON)


def test_payment_of_forty_years_fits_a_transaction(tables: tuple[Table, Table]) -> None:
    duty, ledger = tables
    backend = Backend(DynamoStore(duty, ledger), quote_writer(duty))
    years = tuple(YearAmount(1360 + number, 1_000) for number in range(40))
    made = payment(1, years=years, rounding_rial=0, amount_rial=40_000)
    assert settled(backend, verifying(backend, pending(backend, made))).status is Status.SETTLED


def test_ninety_nine_events_that_change_nothing_are_kept_at_most(tables: tuple[Table, Table]) -> None:
    duty, ledger = tables
    backend = Backend(DynamoStore(duty, ledger), quote_writer(duty))
    made = pending(backend, payment())
    event = Event(Occurrence.CALLBACK_LATE, "callback", NOON, made.status, made.status)
    kept = sum(backend.store.record(made, event) for _ in range(130))
    assert 80 <= kept <= 99
    assert len(backend.store.events(made)) == kept + 2


# --- joint payments -------------------------------------------------------------------------------------


def joint(backend: Backend) -> Payment:
    """A joint payment of two parts, in one chunk."""
    parent = payment(
        90,
        assessment_id="",
        municipality="NATIONAL",
        plate="",
        vehicle_id="",
        years=(),
        rounding_rial=0,
        amount_rial=0,
        parts=2,
        serves=("*",),
    )
    members = [(Member("as_1", f"py_{PREFIX}91"), Member("as_2", f"py_{PREFIX}92"))]
    backend.store.create_members(parent, members)
    return create(backend, parent)


def part(backend: Backend, parent: Payment, number: int, vehicle_id: str) -> Payment:
    made = payment(number, vehicle_id=vehicle_id, parent_id=parent.payment_id, open_due_at=None)
    event = Event(Occurrence.CREATED, "parent", NOON, None, Status.CREATED)
    backend.store.lease_part(parent, made, Chunk(0), event)
    return made


def test_joint_payment_comes_back_as_it_was_written(backend: Backend) -> None:
    parent = joint(backend)
    assert backend.store.payment(parent.payment_id) == parent
    assert [of.payment_id[-2:] for of in backend.store.members(parent, 0)] == ["91", "92"]
    assert list(backend.store.chunks(parent)) == [Chunk(0)]
    made = part(backend, parent, 91, "ve_1")
    assert backend.store.payment(made.payment_id) == made
    assert backend.store.holds_duties(made)
    assert len(backend.store.events(parent)) == len(backend.store.events(made)) == 1


def test_leases_of_a_part_do_not_lapse_by_time(backend: Backend) -> None:
    made = part(backend, joint(backend), 91, "ve_1")
    with pytest.raises(DutyLocked):
        create(backend, payment(1, NOON + timedelta(days=1)))
    assert backend.store.holds_duties(made)


def test_part_is_leased_once_and_only_while_its_chunk_waits(backend: Backend) -> None:
    parent = joint(backend)
    part(backend, parent, 91, "ve_1")
    with pytest.raises(TransactionRefused):
        part(backend, parent, 91, "ve_1")
    releasing = Chunk(0, ChunkState.RELEASING)
    backend.store.move_chunk(parent, Chunk(0), releasing)
    with pytest.raises(TransactionRefused):
        part(backend, parent, 92, "ve_2")
    with pytest.raises(TransactionRefused):
        backend.store.move_chunk(parent, Chunk(0), Chunk(0, ChunkState.LEASED, 1, 0))
    assert list(backend.store.chunks(parent)) == [releasing]


def test_part_of_a_duty_that_another_holds_is_refused_by_name(backend: Backend) -> None:
    parent = joint(backend)
    create(backend, payment(1))
    with pytest.raises(DutyLocked):
        part(backend, parent, 91, "ve_1")
    assert backend.store.payment(f"py_{PREFIX}91") is None


def test_part_settles_as_any_payment_does(backend: Backend) -> None:
    made = part(backend, joint(backend), 91, "ve_1")
    after, event = moved(
        made,
        Occurrence.PARENT_SETTLED,
        open_due_at=None,
        settled_at=NOON,
        certificate_id="ce_1",
        reference="r1",
    )
    entry = settled_entry(after, journal_id="je_1", now=NOON)
    backend.store.settle(made, after, event, entry, "ev_1")
    assert backend.store.payment(made.payment_id) == after
    with pytest.raises(DutyPaid):
        create(backend, payment(1))
