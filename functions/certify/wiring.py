"""Puts the issuing of certificates together with what it works on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.settings import setting
from functions.certify.certificates.issuing import Issue, issue_certificate
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.record import CertificateRecord, Paper
from functions.certify.document.page import page_content
from functions.certify.document.render import render
from functions.certify.log.stores.wake_adapter import LogQueue
from functions.certify.signing.keys import active_signer
from functions.certify.signing.wiring import key_register, signing_pool
from functions.certify.stores.document_store import DocumentBucket
from functions.certify.stores.issuing_store import IssuingTable
from functions.certify.stores.quote_store import PageTable

clock = SystemClock()


@functools.cache
def issuer() -> Callable[[OutboxKey], Issue]:
    """The process's one issuer, wired on first use."""
    certificates = IssuingTable(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))
    documents = DocumentBucket(setting("DOCUMENTS_BUCKET"))

    def issue(outbox: OutboxKey) -> Issue:
        return issue_certificate(
            outbox,
            certificates=certificates,
            documents=documents,
            signer=lambda: active_signer(signing_pool(), keys=key_register(), now=clock.now()),
            typeset=typeset,
            now=clock.now(),
        )

    return issue


@functools.cache
def log_queue() -> LogQueue:
    """What wakes the log's writer."""
    return LogQueue(setting("LOG_QUEUE_URL"))


@functools.cache
def pages() -> PageTable:
    """What pages read besides their record."""
    return PageTable(Table(setting("DUTY_TABLE")))


def typeset(record: CertificateRecord) -> Mapping[Paper, bytes]:
    """The PDF of a signed record on each paper."""
    lines = pages().lines(record.assessment_id)
    return {
        paper: render(
            page_content(record, origin=setting("PUBLIC_ORIGIN"), name_of=pages().name, paper=paper, lines=lines)
        )
        for paper in Paper
    }
