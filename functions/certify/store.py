"""Certificates in DynamoDB and their files in S3: the only place here that knows either."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from avarez import keys
from avarez.certificates.jwks import KeyStatus, b64url, published
from avarez.certificates.verification import CertificateStatus
from avarez.clock import to_rfc3339
from avarez.dynamo import Table, client, from_item, transact, translated
from avarez.errors import ServiceBusy, TransactionRefused
from functions.certify.record import CertificateRecord, OutboxKey, RecordUnsound, parse_record

PENDING_INDEX: Final = "pending"
DOCUMENT_PREFIX: Final = "certificates/"
#: How long a handed-out address of a PDF works: a page that follows the redirect needs seconds.
LINK_LIFETIME: Final = timedelta(minutes=5)


class CertificateTable:
    """The certificate items of the duty table, the outbox of the ledger table, and the public keys."""

    def __init__(self, duty: Table, ledger: Table | None = None) -> None:
        self._duty = duty
        self._ledger = ledger

    @property
    def ledger(self) -> Table:
        """The ledger table; only entry points that touch the outbox are given one."""
        if self._ledger is None:
            raise RecordUnsound("this entry point has no ledger table")
        return self._ledger

    def certificate_of(self, outbox: OutboxKey) -> str | None:
        """The certificate id that the outbox row names, or None when the row is gone."""
        row = self.ledger.get((outbox.partition, outbox.event_id))
        return None if row is None else str(row["certificate_id"])

    def find(self, certificate_id: str) -> CertificateRecord | None:
        """The record behind a public id, read consistently."""
        pointer = self._duty.get(keys.pointer(certificate_id))
        if pointer is None:
            return None
        item = self._duty.get((str(pointer["target_pk"]), str(pointer["target_sk"])))
        return None if item is None else parse_record(item)

    def publish_key(self, kid: bytes, jwk: dict[str, str]) -> None:
        """Puts the public key where `jwks.json` is read from, unless it stands there already."""
        key = keys.signing_key(b64url(kid))
        if self._duty.get(key) is not None:
            return
        try:
            transact(
                [self._duty.put_new(key, published(jwk, KeyStatus.ACTIVE))],
                mine=lambda: self._duty.get(key) is not None,
                dynamodb=self._duty.dynamodb,
            )
        except TransactionRefused as refused:
            raise ServiceBusy() from refused

    def keep_message(
        self, record: CertificateRecord, message: bytes, kid: bytes, issued_at: datetime
    ) -> CertificateRecord:
        """Keeps the message where none is kept; the record as it stands afterwards.

        A refused condition means that another worker was first, or that our own first attempt was: either way
        what stands is the certificate, and this attempt's message was never shown to anybody.
        """
        changes = {"cose": message, "kid": b64url(kid), "issued_at": to_rfc3339(issued_at)}
        keep_first = self._duty.update(
            _key_of(record), changes, "attribute_not_exists(cose) AND attribute_exists(pk)"
        )
        with contextlib.suppress(TransactionRefused):  # read back below, with everything else
            transact([keep_first], dynamodb=self._duty.dynamodb)
        kept = self.find(record.certificate_id)
        if kept is None or kept.message is None or kept.issued_at is None:
            raise ServiceBusy()
        return kept

    def finish(self, record: CertificateRecord, outbox: OutboxKey, pdf_sha256: str, stored_at: datetime) -> None:
        """The certificate is in force and the outbox row gone, in one transaction.

        Repeatable: when the certificate carries a PDF already, nothing is left to do.
        """
        changes = {
            "status": CertificateStatus.IN_FORCE.value,
            "pdf_sha256": pdf_sha256,
            "stored_at": to_rfc3339(stored_at),
        }
        transact(
            [
                self._duty.update(
                    _key_of(record),
                    changes,
                    "attribute_exists(cose) AND attribute_not_exists(pdf_sha256) AND #status = :preparing",
                    preparing=CertificateStatus.PREPARING.value,
                ),
                self.ledger.delete((outbox.partition, outbox.event_id)),
            ],
            mine=lambda: self._is_finished(record.certificate_id),
            dynamodb=self._duty.dynamodb,
        )

    def _is_finished(self, certificate_id: str) -> bool:
        record = self.find(certificate_id)
        return record is not None and record.pdf_sha256 is not None

    def pending(self, shard: int, created_before: str, limit: int) -> list[OutboxKey]:
        """At most `limit` outbox rows of one shard that are older than `created_before`, oldest first.

        The index may lag: a row that is done already wakes the consumer for nothing, which does no harm.
        """
        with translated():
            answer = self.ledger.dynamodb.query(
                TableName=self.ledger.name,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard AND created_at < :before",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":before": {"S": created_before}},
                Limit=limit,
            )
        return [OutboxKey(str(row["pk"]), str(row["sk"])) for row in map(from_item, answer["Items"])]


class DocumentBucket:
    """The PDFs, under `certificates/{sha256}.pdf`, in a versioned bucket with object lock."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = bucket
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client, made on first use."""
        if self._s3 is None:
            self._s3 = _s3_client()
        return self._s3

    def keep(self, pdf: bytes, content_sha256: str) -> None:
        """Stores the file once and returns only when reading it back gives these very bytes.

        The first put is refused when the key is taken, so that a repetition makes no second version under
        object lock; if what is there is not what we wrote, a second put heals it.

        Raises: ServiceBusy when S3 does not take it, or does not give back what it took.
        """
        key = document_key(content_sha256)
        checksum = base64.b64encode(hashlib.sha256(pdf).digest()).decode("ascii")
        for once in ({"IfNoneMatch": "*"}, {}):
            try:
                self.s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=pdf,
                    ContentType="application/pdf",
                    ChecksumSHA256=checksum,
                    **once,
                )
            except ClientError as error:
                if not (once and _is_taken(error)):
                    raise ServiceBusy() from error
            except BotoCoreError as error:
                raise ServiceBusy() from error
            if self._reads_back(key, content_sha256):
                return
        raise ServiceBusy("The stored file does not read back as it was written.")

    def _reads_back(self, key: str, content_sha256: str) -> bool:
        try:
            body = self.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError):  # a put that was acknowledged and lost, or a corrupt answer
            return False
        return hashlib.sha256(body).hexdigest() == content_sha256

    def address(self, content_sha256: str, filename: str) -> str:
        """An address at which anyone may fetch the PDF for LINK_LIFETIME, under a friendly file name."""
        url: str = self.s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": document_key(content_sha256),
                "ResponseContentType": "application/pdf",
                "ResponseContentDisposition": f'inline; filename="{filename}"',
            },
            ExpiresIn=int(LINK_LIFETIME.total_seconds()),
        )
        return url


class QueueSender:
    """Sends wake-ups to the certify queue, ten a call."""

    BATCH: Final = 10  # SQS: SendMessageBatch takes at most ten entries

    def __init__(self, url: str, sqs: Any | None = None) -> None:
        self._url = url
        self._sqs = sqs if sqs is not None else client("sqs")

    def send(self, bodies: list[str]) -> int:
        """Sends the bodies, and answers how many SQS took; the rest is found again by the next sweep."""
        taken = 0
        for start in range(0, len(bodies), self.BATCH):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + self.BATCH])
            ]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise ServiceBusy() from error
            taken += len(answer.get("Successful", []))
        return taken


def document_key(content_sha256: str) -> str:
    """Where the PDF with this hash lies in the bucket."""
    return f"{DOCUMENT_PREFIX}{content_sha256}.pdf"


def _key_of(record: CertificateRecord) -> keys.Key:
    return keys.certificate(record.municipality, record.plate, record.certificate_id)


def _is_taken(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("PreconditionFailed", "412")


@functools.cache
def _s3_client() -> Any:
    # Signature version 4 by name: boto3 still presigns with version 2 in the oldest region.
    return boto3.client("s3", config=Config(signature_version="s3v4", retries={"mode": "standard"}))
