"""Puts the signing keys together with KMS and the register."""

from __future__ import annotations

import functools

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.certify.signing.key_store import KeyTable
from functions.certify.stores.kms_adapter import KmsSigner


@functools.cache
def signing_pool() -> dict[str, KmsSigner]:
    """The KMS keys of the deployment, by the name that the register knows them by."""
    kms = client("kms")
    return {kms_key: KmsSigner(kms, kms_key) for kms_key in setting("SIGNING_KEY_IDS").split(",")}


@functools.cache
def key_register() -> KeyTable:
    """The process's register of signing keys."""
    return KeyTable(Table(setting("DUTY_TABLE")))


@functools.cache
def root_signer() -> KmsSigner:
    """The key that signs the list of keys and nothing else."""
    return KmsSigner(client("kms"), setting("KEYS_ROOT_ID"))
