"""Every key of the tables, in one place: `architecture.md` of the decisions, section Data, says why.

A key is a pair (partition key, sort key). Tenant isolation rests on the partition key's first part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

Key = tuple[str, str]

SHARDS = 16
"""Shards of the outbox, the journal and the open payments: enough for 16,000 writes a second each."""


def shard_of(identifier: str) -> int:
    """A stable shard from 0 to 15, evenly spread over identifiers."""
    return hashlib.sha256(identifier.encode()).digest()[0] % SHARDS


# --- the duty table: one item collection for a car in a city -------------------------------------------


def collection(municipality: str, plate: str) -> str:
    """The partition of all that is known of one plate in one city."""
    return f"{municipality}#{plate}"


def vehicle(municipality: str, plate: str, version: int) -> Key:
    return collection(municipality, plate), f"VEHICLE#{version:08d}"


VEHICLE_PREFIX = "VEHICLE#"


def obligation(municipality: str, plate: str, year: int) -> Key:
    return collection(municipality, plate), f"OBLIGATION#{year}"


OBLIGATION_PREFIX = "OBLIGATION#"


def assessment(municipality: str, plate: str, assessment_id: str) -> Key:
    return collection(municipality, plate), f"ASSESSMENT#{assessment_id}"


def payment(municipality: str, plate: str, payment_id: str) -> Key:
    return collection(municipality, plate), f"PAYMENT#{payment_id}"


def joint_payment(payment_id: str) -> Key:
    """A payment for several assessments; its parts lie with their cars."""
    return f"JOINT#{payment_id}", "PAYMENT"


def joint_members(payment_id: str, number: int) -> Key:
    return f"JOINT#{payment_id}", f"MEMBERS#{number:05d}"


def joint_chunk(payment_id: str, number: int) -> Key:
    return f"JOINT#{payment_id}", f"CHUNK#{number:05d}"


def joint_event(payment_id: str, number: int) -> Key:
    return f"JOINT#{payment_id}", f"PAYMENT#EVENT#{number:04d}"


def payment_event(municipality: str, plate: str, payment_id: str, number: int) -> Key:
    return collection(municipality, plate), f"PAYMENT#{payment_id}#EVENT#{number:04d}"


def certificate(municipality: str, plate: str, certificate_id: str) -> Key:
    return collection(municipality, plate), f"CERTIFICATE#{certificate_id}"


def clearance(vehicle_id: str) -> Key:
    """A vehicle's one clearance, in force or in the making: where it lies, and the payments behind it."""
    return f"VEHICLE#{vehicle_id}", "CLEARANCE"


def certificate_code(code: str, plate: str, certificate_id: str) -> Key:
    """Which certificates a short code may mean: those of the plate that is given with it."""
    return f"CODE#{code}", f"{plate}#{certificate_id}"


def status_place(shard: int, place: int) -> Key:
    """Taken by the one certificate that has this place in the status list."""
    return f"STATUSPLACE#{shard}", f"{place:07d}"


def status_end(shard: int, place: int) -> Key:
    """That the certificate with this place in the status list ended, and how."""
    return f"STATUSENDS#{shard}", f"{place:07d}"


def status_mark(shard: int, certificate_id: str) -> Key:
    """In the ledger table, whose stream it wakes: an end that is not published yet."""
    return "STATUSMARKS", f"{shard:05d}#{certificate_id}"


def status_clock() -> Key:
    """The last time of issue that a publisher took."""
    return "STATUS", "CLOCK"


def status_round() -> Key:
    """When every status list was signed last."""
    return "STATUS", "ROUND"


def status_published(name: str) -> Key:
    """Where the status list lies that stands under this name."""
    return "STATUS", f"LIST#{name}"


def refund(municipality: str, plate: str, refund_id: str) -> Key:
    return collection(municipality, plate), f"REFUND#{refund_id}"


def refunds_of(municipality: str, refund_id: str) -> Key:
    """The city's list of refunds."""
    return f"{municipality}#REFUNDS", refund_id


def objection(municipality: str, plate: str, objection_id: str) -> Key:
    return collection(municipality, plate), f"OBJECTION#{objection_id}"


def agreement(municipality: str, plate: str, agreement_id: str) -> Key:
    """An agreement to pay by instalments."""
    return collection(municipality, plate), f"AGREEMENT#{agreement_id}"


def agreements_of(municipality: str, agreement_id: str) -> Key:
    """The city's list of agreements: where each lies; their ids sort by time."""
    return f"{municipality}#AGREEMENTS", agreement_id


def agreement_note(vehicle_id: str, agreement_id: str) -> Key:
    """What a quote of the vehicle has to know of an agreement, once it is in force."""
    return f"VEHICLE#{vehicle_id}", f"AGREEMENT#{agreement_id}"


def correction(municipality: str, plate: str, vehicle_id: str) -> Key:
    """Facts of a row put right by a decision; read with the rows, whose prefix it shares."""
    return collection(municipality, plate), f"{VEHICLE_PREFIX}CORRECTION#{vehicle_id}"


def vehicle_change(municipality: str, plate: str, change_id: str) -> Key:
    """A change of facts, plate, residence or prior payments that an office entered."""
    return collection(municipality, plate), f"CHANGE#{change_id}"


# --- the duty table: what stands beside the collections ------------------------------------------------


def pointer(identifier: str) -> Key:
    """Where the item with this public id lies."""
    return f"ID#{identifier}", "ID"


def leading_to(key: Key) -> dict[str, str]:
    """What a row says that leads to another one: a pointer, a note, a row of a list, a lock."""
    return {"target_pk": key[0], "target_sk": key[1]}


def target(row: Mapping[str, Any]) -> Key:
    """The key that such a row leads to."""
    return str(row["target_pk"]), str(row["target_sk"])


def duty(vehicle_id: str, year: int) -> Key:
    """The item that decides who may charge this duty: (vehicle, duty year), whatever city or plate."""
    return f"DUTY#{vehicle_id}#{year}", "DUTY"


def reference(gateway: str, gateway_reference: str) -> Key:
    return f"REFERENCE#{gateway}#{gateway_reference}", "REFERENCE"


def open_payment(payment_id: str, due_at: str) -> Key:
    return open_payments(shard_of(payment_id)), f"{due_at}#{payment_id}"


def open_payments(shard: int) -> str:
    return f"OPEN#{shard}"


def changes_of(municipality: str, change_id: str) -> Key:
    """The city's list of vehicle changes."""
    return f"{municipality}#CHANGES", change_id


def objection_note(vehicle_id: str, objection_id: str) -> Key:
    """What a quote of the vehicle has to know of an objection."""
    return f"VEHICLE#{vehicle_id}", f"OBJECTION#{objection_id}"


def objection_lock(vehicle_id: str, municipality: str) -> Key:
    """Taken while an objection of the vehicle in that city is open."""
    return f"VEHICLE#{vehicle_id}", f"DISPUTED#{municipality}"


def objections_of(municipality: str, objection_id: str) -> Key:
    """The city's list of objections."""
    return f"{municipality}#OBJECTIONS", objection_id


def open_objections(shard: int) -> str:
    """Open objections of every city, by the end of their term."""
    return f"OBJECTIONS#{shard}"


def office_payments(office: str, day: str) -> str:
    """The payments that an office opened on a day, by id and so by time; `day` is the Gregorian date in Tehran."""
    return f"OFFICE#{office}#PAYMENTS#{day}"


def office_payment(office: str, day: str, payment_id: str) -> Key:
    """Where a payment of the office's day lies."""
    return office_payments(office, day), payment_id


def office_terminals(office: str) -> str:
    """The terminals that are, or were, of this office."""
    return f"OFFICE#{office}#TERMINALS"


def terminal(terminal_id: str) -> Key:
    return f"TERMINAL#{terminal_id}", "TERMINAL"


def terminal_sale(terminal_id: str, payment_id: str) -> Key:
    return f"TERMINAL#{terminal_id}", f"SALE#{payment_id}"


def terminal_closing(terminal_id: str, day: str) -> Key:
    """The closing of a terminal's day; `day` is the Gregorian date in Tehran."""
    return f"TERMINAL#{terminal_id}", f"CLOSING#{day}"


def terminal_variance(terminal_id: str, payment_id: str) -> Key:
    """That a sale's variance is booked."""
    return f"TERMINAL#{terminal_id}", f"VARIANCE#{payment_id}"


def open_bill(vehicle_id: str, municipality: str) -> Key:
    """Stands while a bill of this vehicle in this city can be paid."""
    return f"VEHICLE#{vehicle_id}", f"BILL#{municipality}"


def bill(bill_id: str, payment_code: str) -> Key:
    """Which payment a pair of ids belongs to."""
    return f"BILL#{bill_id}#{payment_code}", "BILL"


def bank_file(file_id: str) -> Key:
    return f"BANKFILE#{file_id}", "FILE"


def bank_file_lines(file_id: str, number: int) -> Key:
    return f"BANKFILE#{file_id}", f"LINES#{number:06d}"


def bank_file_chunk(file_id: str, number: int) -> Key:
    """What became of a chunk's lines, apart from them, so that progress is cheap to ask."""
    return f"BANKFILE#{file_id}", f"CHUNK#{number:06d}"


def bank_file_content(bank: str, content_sha256: str) -> Key:
    """Which file came first with this content."""
    return f"BANKFILE#{bank}#{content_sha256}", "CONTENT"


def fleet(fleet_id: str) -> Key:
    return f"FLEET#{fleet_id}", "FLEET"


def fleet_chunk(fleet_id: str, number: int) -> Key:
    return f"FLEET#{fleet_id}", f"CHUNK#{number:06d}"


def fleet_sums(fleet_id: str, number: int) -> Key:
    """What a chunk comes to, apart from its rows, so that progress is cheap to ask."""
    return f"FLEET#{fleet_id}", f"SUMS#{number:06d}"


PAID_OUT_MAX = 2_000
"""Cities of the country, and room for more."""


def report_head(operator: str, day: str, report_id: str) -> Key:
    """A gateway's report of one of its days; `day` is a Gregorian date."""
    return f"REPORT#{operator}#{day}", f"HEAD#{report_id}"


def report_lines(operator: str, day: str, report_id: str, number: int) -> Key:
    return f"REPORT#{operator}#{day}", f"LINES#{report_id}#{number:05d}"


def report_content(operator: str, day: str, content_sha256: str) -> Key:
    """Which report came first with this content."""
    return f"REPORT#{operator}#{day}", f"CONTENT#{content_sha256}"


def reporter(day: str, operator: str) -> Key:
    """Whose report, or whose money in a bank, of this day is there."""
    return f"REPORTERS#{day}", operator


def statement_line(account: str, bank_reference: str) -> Key:
    """A line of a bank statement under the bank's own number."""
    return f"STATEMENT#{account}", bank_reference


def statement_line_id(line: str) -> str:
    """The line's id, the same wherever it comes again."""
    return "bl_" + hashlib.sha256(line.encode()).hexdigest()[:36]


def arrival(operator: str, day: str, line_id: str) -> Key:
    """What a bank statement has of a gateway's day."""
    return f"ARRIVED#{operator}#{day}", line_id


def paid_out(operator: str, day: str, municipality: str) -> Key:
    """What of a gateway's day has left its clearing account in this city's book."""
    return f"PAIDOUT#{operator}#{day}", municipality


def difference(operator: str, day: str, name: str) -> Key:
    """What is open between the books of a gateway's day."""
    return f"DIFFERENCES#{operator}#{day}", name


def differences(operator: str, day: str) -> str:
    return f"DIFFERENCES#{operator}#{day}"


def reconciliation(municipality: str, day: str, operator: str) -> Key:
    """The last result of a gateway's day in a city."""
    return f"{municipality}#RECONCILIATION", f"{day}#{operator}"


def reconciliation_task_id(operator: str, day: str, name: str) -> str:
    """The task of a difference, the same however often it is found."""
    return "tk_" + hashlib.sha256(f"{operator}#{day}#{name}".encode()).hexdigest()[:36]


def open_day(day: str) -> Key:
    """A day that the reconciliation is still to look at."""
    return "RECONCILING", day


def suspense(municipality: str, payment_id: str) -> Key:
    """The city's list of money in suspense."""
    return f"{municipality}#SUSPENSE", payment_id


def suspense_match(payment_id: str) -> Key:
    """What somebody proposed to do with money in suspense, and every step since."""
    return f"SUSPENSE#{payment_id}", "MATCH"


def task(municipality: str, task_id: str) -> Key:
    """Something that an officer has to do, such as a refund."""
    return f"{municipality}#TASKS", task_id


def idempotency(caller: str, route: str, key: str) -> Key:
    return f"IDEMPOTENCY#{caller}#{route}#{key}", "IDEMPOTENCY"


def identity_by_vin(vin: str) -> Key:
    return f"IDENTITY#VIN#{vin}", "IDENTITY"


def identity_by_chassis(chassis: str, engine: str) -> Key:
    return f"IDENTITY#CE#{chassis}#{engine}", "IDENTITY"


def owner(owner_hash: str) -> Key:
    return f"OWNER#{owner_hash}", "KEY"


def owner_attempts(kind: str, digest: str, window: int) -> Key:
    """How often in this hour a plate, an id or an address was tried; no plate, id or address stands in it."""
    return f"ATTEMPTS#{kind}#{digest}", f"HOUR#{window}"


def contact(vehicle_id: str, owner_hash: str) -> Key:
    """The mobile number that this owner gave for this car, sealed under the owner's own key."""
    return f"VEHICLE#{vehicle_id}", f"{CONTACT_PREFIX}{owner_hash}"


CONTACT_PREFIX = "CONTACT#"


def contact_listed(contact_id: str) -> Key:
    """That somebody is to be told before the year ends; spread over shards, read page by page."""
    return contacts_partition(shard_of(contact_id)), contact_id


def contacts_partition(shard: int) -> str:
    return f"CONTACTS#{shard}"


def mobile_stopped(mobile_hash: str) -> Key:
    """That nobody who gave this number before is to be told anything more."""
    return f"MOBILE#{mobile_hash}", "STOPPED"


def told(contact_id: str, kind: str, subject: str) -> Key:
    """That this message was given to be sent: it decides that there is no second one."""
    return f"TOLD#{contact_id}", f"{kind}#{subject}"


def messages_of(day: str) -> Key:
    """How many messages were given to be sent on this day."""
    return f"MESSAGES#{day}", "COUNT"


def year_end_round(year: int) -> Key:
    """How far the round before the end of this Jalali year has come."""
    return "YEARENDROUNDS", str(year)


def reminder_setting() -> Key:
    """Quiet hours, the day's most messages, and how long before the year's end owners are told."""
    return "SETTING", "REMINDERS"


def roll_pointer(municipality: str) -> Key:
    return f"{municipality}#ROLL", "POINTER"


def roll(municipality: str, roll_id: str) -> Key:
    return f"{municipality}#ROLL", f"ROLL#{roll_id}"


def receivables(municipality: str) -> Key:
    """Which table of the city's receivables stands."""
    return f"{municipality}#RECEIVABLES", "STANDING"


def roll_chunk(municipality: str, roll_id: str, number: int) -> Key:
    return f"{municipality}#ROLL", f"ROLL#{roll_id}#CHUNK#{number:06d}"


def tariff_pointer() -> Key:
    return "TARIFF", "CURRENT"


def tariff_version(version: str) -> Key:
    """What is recorded of a published tariff; its document lies in object storage under the same hash."""
    return "TARIFF", f"VERSION#{version}"


def tariff_draft(authority: str, tariff_id: str) -> Key:
    """A draft of `national` or of a municipality."""
    return f"{authority}#TARIFFS", f"DRAFT#{tariff_id}"


def municipality_setting(municipality: str) -> Key:
    return "SETTING", f"MUNICIPALITY#{municipality}"


def platform_setting() -> Key:
    """Our own account, from which cities are paid."""
    return "SETTING", "PLATFORM"


def signing_key(kid: str) -> Key:
    return "KEYS", f"SIGNING#{kid}"


def active_key() -> Key:
    """Which of the signing keys signs now."""
    return "KEYS", "ACTIVE"


def key_history() -> Key:
    """The signing keys, signed by the root key."""
    return "KEYS", "HISTORY"


def root_key() -> Key:
    return "KEYS", "ROOT"


# --- the duty table: the transparency log ---------------------------------------------------------------


def log_pending(certificate_id: str) -> Key:
    """A certificate that waits for its place in the log; ids sort by time, so the oldest come first."""
    return log_pending_partition(shard_of(certificate_id)), certificate_id


def log_pending_partition(shard: int) -> str:
    return f"LOG#PENDING#{shard}"


def log_leaf(entry_hex: str) -> Key:
    """Where an entry (SHA-256 of a COSE message) stands in the log."""
    return f"LOG#LEAF#{entry_hex}", "LEAF"


def log_head() -> Key:
    """The tree as it stands, and the checkpoint last published; compared and set by its one writer."""
    return "LOG#HEAD", "HEAD"


def log_witnesses() -> str:
    """Every city's witness."""
    return "LOG#WITNESSES"


def log_witness(municipality: str) -> Key:
    return log_witnesses(), municipality


def log_witness_key(public_key_hex: str) -> Key:
    """Which city's witness has this key: one key is one witness."""
    return f"LOG#WITNESSKEY#{public_key_hex}", "KEY"


def log_cosignatures(size: int) -> str:
    return f"LOG#COSIGNED#{size}"


def log_cosignature(size: int, municipality: str) -> Key:
    """A city's line under the checkpoint of this size."""
    return log_cosignatures(size), municipality


def log_checkpoint(size: int) -> Key:
    """The one checkpoint that was signed for a tree of this size."""
    return f"LOG#CHECKPOINT#{size}", "CHECKPOINT"


# --- the ledger table ----------------------------------------------------------------------------------


def journal(municipality: str, day: str, payment_id: str, journal_id: str) -> Key:
    """A journal entry; `day` is the Gregorian date in Tehran, `2026-11-23`."""
    return journal_partition(municipality, day, shard_of(payment_id)), journal_id


def journal_partition(municipality: str, day: str, shard: int) -> str:
    return f"{municipality}#JOURNAL#{day}#{shard}"


def outbox(municipality: str, payment_id: str, event_id: str) -> Key:
    return outbox_partition(municipality, shard_of(payment_id)), event_id


def outbox_partition(municipality: str, shard: int) -> str:
    """What waits to be done: for a certificate under an event's id, for the sequencer under `CHAIN#` before it."""
    return f"OUTBOX#{municipality}#{shard}"


TO_CHAIN_PREFIX = "CHAIN#"


def to_chain(municipality: str, about: str, event_id: str) -> Key:
    """An event that waits for its place in the city's chain; `about` is the payment that it concerns."""
    return outbox_partition(municipality, shard_of(about)), f"{TO_CHAIN_PREFIX}{event_id}"


TO_REMIND_PREFIX = "REMIND#"


def to_remind(municipality: str, certificate_id: str) -> Key:
    """A certificate whose owner is to be told that it is ready; a row of its own, as each consumer has."""
    return outbox_partition(municipality, shard_of(certificate_id)), f"{TO_REMIND_PREFIX}{certificate_id}"


def chain_head(municipality: str) -> Key:
    return f"{municipality}#CHAIN", "HEAD"


def chain_carried(municipality: str) -> Key:
    """How far the chain's events were carried over from where the city's books were kept before."""
    return f"{municipality}#CHAIN", "CARRIED"


EVENTS_PER_PARTITION = 10_000


def chain_event(municipality: str, sequence: int) -> Key:
    """An event in its place, counted from 1."""
    return f"{municipality}#EVENTS#{sequence // EVENTS_PER_PARTITION}", f"{sequence:012d}"


def figures_head() -> Key:
    """Which publication of the public figures stands."""
    return "FIGURES", "HEAD"


def budget_version(municipality: str, year: int, version: int) -> Key:
    """A version of what the city published of its fiscal year; the last one stands."""
    return f"{municipality}#BUDGETS", f"{year}#{version:04d}"


def event_files(municipality: str, day: str) -> Key:
    """What was made of the city's events of a day; `day` is the Gregorian date in Tehran."""
    return f"{municipality}#EVENTFILES", f"DAY#{day}"


def event_files_last(municipality: str) -> Key:
    """The last day of which there are files: the next ones begin behind it."""
    return f"{municipality}#EVENTFILES", "LAST"


def exchange_batch(number: int) -> Key:
    """A batch of records for the national exchange, counted from 1."""
    return "EXCHANGE", f"{number:012d}"


def webhook_endpoint(municipality: str) -> Key:
    """Where the city's events go, and how far they are."""
    return f"{municipality}#WEBHOOK", "ENDPOINT"


def webhook_attempts(municipality: str, place: str) -> Key:
    """What was tried, by the time of its last attempt."""
    return f"{municipality}#WEBHOOK#ATTEMPTS", place


def city_change(municipality: str, subject: str, change_id: str) -> Key:
    """A guarded change of the city's account, endpoint or officers."""
    return f"{municipality}#ACCOUNT", f"CHANGE#{subject}#{change_id}"


def city_change_lock(municipality: str, subject: str) -> Key:
    """Stands while a change of this subject is open in the city."""
    return f"{municipality}#ACCOUNT", f"OPEN#{subject}"


def changes_due() -> str:
    """Approved changes of every city, by the instant from which they are in force."""
    return "ACCOUNTS#DUE"


def change_due(in_force_from_at: str, municipality: str, change_id: str) -> Key:
    return changes_due(), f"{in_force_from_at}#{municipality}#{change_id}"


def settled_head(municipality: str) -> Key:
    """How far the city's daily closes are."""
    return f"{municipality}#SETTLED", "HEAD"


def settled_plan(municipality: str) -> Key:
    """The close that is being made; none between two of them."""
    return f"{municipality}#SETTLED", "PLAN"


def settled_number(municipality: str, number: int) -> Key:
    """Which close has this number: what the bank's lines name."""
    return f"{municipality}#SETTLED", f"NUMBER#{number:09d}"


def settlement(municipality: str, settlement_id: str) -> Key:
    """A daily close; their ids sort by time."""
    return f"{municipality}#SETTLEMENTS", settlement_id


def settlement_lines(municipality: str, settlement_id: str, number: int) -> Key:
    """A batch of the lines of a close, counted from 0."""
    return f"{municipality}#SETTLED#{settlement_id}", f"LINES#{number:06d}"


def settlement_paper(municipality: str, settlement_id: str, sheet: int) -> Key:
    """Which PDF of a close is kept; apart from its lines."""
    return f"{municipality}#SETTLED#{settlement_id}#PAPERS", f"SHEET#{sheet:05d}"


def transfer(municipality: str, settlement_id: str) -> Key:
    """What pays a close on, and how far it is."""
    return f"{municipality}#TRANSFERS", settlement_id


def transfer_outstanding(municipality: str, settlement_id: str) -> Key:
    """A transfer of any city that no line of a bank has matched yet."""
    return "TRANSFERS", f"{municipality}#{settlement_id}"


def transfer_batch(batch_id: str) -> Key:
    """A file of transfers for the bank; their ids sort by time."""
    return "TRANSFERBATCHES", batch_id


def transfer_batch_rows(batch_id: str, number: int) -> Key:
    """The transfers of a file, a chunk at a time."""
    return f"TRANSFERBATCH#{batch_id}", f"ROWS#{number:04d}"


def transfer_batch_head() -> Key:
    """How many files there are, and the one that is being made."""
    return "TRANSFERBATCHHEAD", "HEAD"


def transfer_task_id(municipality: str, settlement_id: str, what: str) -> str:
    """The task of a transfer, the same however often it is looked at."""
    return "tk_" + hashlib.sha256(f"{municipality}#{settlement_id}#{what}".encode()).hexdigest()[:36]


# --- the identity table --------------------------------------------------------------------------------


def account(username: str) -> Key:
    return f"USER#{username}", "ACCOUNT"


def activation(username: str, change_id: str) -> Key:
    """That an invitation was used."""
    return f"USER#{username}", f"ACTIVATION#{change_id}"


def officer(municipality: str, username: str) -> Key:
    """The city's roster of officers."""
    return f"OFFICERS#{municipality}", username
