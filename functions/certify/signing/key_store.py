"""The keys' register in DynamoDB, and the history that is signed over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from avarez import keys
from avarez.certificates.jwks import KEYS_MAX, KeyStatus
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, transact
from functions.certify.signing.keys import RegisteredKey

JWK_MEMBERS = ("kty", "crv", "x", "y")
_EPOCH = datetime.fromtimestamp(0, UTC)


class KeyTable:
    """The items of the partition KEYS: one for each key, one that says which signs, the signed history."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def all(self) -> Sequence[RegisteredKey]:
        rows = self._duty.query(*keys.signing_key(""), limit=KEYS_MAX)
        return sorted(map(_key_from, rows), key=lambda key: (key.enrolled_at, key.kid))

    def active(self) -> str | None:
        pointer = self._duty.get(keys.active_key())
        return None if pointer is None or not pointer["kms_key"] else str(pointer["kms_key"])

    def enrol(self, key: RegisteredKey) -> None:
        known = self._duty.get(keys.signing_key(key.kid))
        if known is None:
            write = self._duty.put_new(keys.signing_key(key.kid), _item(key))
        else:
            write = self._duty.update(
                keys.signing_key(key.kid), {"kms_key": key.kms_key}, "attribute_not_exists(kms_key)"
            )
        transact([write], mine=lambda: self._stands(key), dynamodb=self._duty.dynamodb)

    def _stands(self, key: RegisteredKey) -> bool:
        known = self._duty.get(keys.signing_key(key.kid))
        return known is not None and known.get("kms_key") == key.kms_key

    def change(self, signing: RegisteredKey | None, changed: Sequence[RegisteredKey], successor: str) -> None:
        writes: list[Item] = []
        if signing is not None:
            writes.append(
                self._duty.put(
                    keys.active_key(), {"kms_key": successor}, "kms_key = :signing", signing=signing.kms_key
                )
            )
        elif successor:
            nobody = "attribute_not_exists(pk) OR kms_key = :nobody"
            writes.append(self._duty.put(keys.active_key(), {"kms_key": successor}, nobody, nobody=""))
        before = {key.kid: key for key in self.all()}
        writes.extend(
            self._duty.put(
                keys.signing_key(key.kid), _item(key), "#status = :before", before=before[key.kid].status.value
            )
            for key in changed
        )
        wanted = [_key_from(_item(key)) for key in changed]
        transact(
            writes,
            mine=lambda: all(key in self.all() for key in wanted),
            dynamodb=self._duty.dynamodb,
        )

    # -- what is published -----------------------------------------------------------------------------

    def history(self) -> Mapping[str, Any]:
        """The last signed history: `token`, `keys` and `signed_at`; empty before the first."""
        return self._duty.get(keys.key_history()) or {}

    def keep_history(self, token: str, public: Sequence[Mapping[str, str]], now: datetime) -> None:
        """Publishes `token`; the newest stands whoever comes first."""
        item = {"token": token, "keys": [dict(key) for key in public], "signed_at": to_rfc3339(now)}
        newest = "attribute_not_exists(pk) OR signed_at < :now"
        transact(
            [self._duty.put(keys.key_history(), item, newest, now=to_rfc3339(now))],
            mine=lambda: bool(self.history()),
            dynamodb=self._duty.dynamodb,
        )

    def keep_root(self, public: Mapping[str, str]) -> None:
        """Publishes the root's public key."""
        if self._duty.get(keys.root_key()) is None:
            transact(
                [self._duty.put(keys.root_key(), dict(public))],
                mine=lambda: self._duty.get(keys.root_key()) is not None,
                dynamodb=self._duty.dynamodb,
            )


def _item(key: RegisteredKey) -> dict[str, Any]:
    return {
        **key.public(),
        "kms_key": key.kms_key or None,
        "enrolled_at": to_rfc3339(key.enrolled_at),
        "reason": key.reason or None,
    }


def _key_from(item: Mapping[str, Any]) -> RegisteredKey:
    def instant(name: str) -> datetime | None:
        return from_rfc3339(item[name]) if item.get(name) else None

    return RegisteredKey(
        kid=str(item["kid"]),
        jwk={name: str(item[name]) for name in JWK_MEMBERS},
        status=KeyStatus(item["status"]),
        kms_key=str(item.get("kms_key") or ""),
        enrolled_at=instant("enrolled_at") or _EPOCH,
        not_before=instant("not_before_at"),
        not_after=instant("not_after_at"),
        compromised_at=instant("compromised_at"),
        reason=str(item.get("reason") or ""),
    )
