"""What the clock does for the keys: enrol, rotate when due, and publish the signed history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from avarez.certificates.jwks import KeyStatus, published
from avarez.certificates.key_history import sign_history
from avarez.clock import from_rfc3339
from functions.certify.certificates.issuing import PublicSigner
from functions.certify.signing.keys import Keys, enrol_pool, rotate_when_due

#: A token is good for 30 days; a fresh one each day says how recent the list of keys is.
SIGN_EVERY: Final = timedelta(days=1)


class History(Keys, Protocol):
    """The register, with the history that is published of it."""

    def history(self) -> Mapping[str, Any]: ...

    def keep_history(self, token: str, public: Sequence[Mapping[str, str]], now: datetime) -> None: ...

    def keep_root(self, public: Mapping[str, str]) -> None: ...


def keep_keys(
    pool: Mapping[str, PublicSigner], *, keys: History, root: PublicSigner, issuer: str, now: datetime
) -> dict[str, bool]:
    """The register in order and its history published; what was done, for the log."""
    enrol_pool(pool, keys=keys, now=now)
    rotated = rotate_when_due(keys=keys, now=now)
    public = [key.public() for key in keys.all()]
    last = keys.history()
    fresh = bool(last) and now - from_rfc3339(last["signed_at"]) < SIGN_EVERY
    if fresh and list(last["keys"]) == public:
        return {"rotated": rotated, "signed": False}
    keys.keep_root(published(root.jwk, KeyStatus.ACTIVE))
    keys.keep_history(sign_history(public, root=root, issuer=issuer, now=now), public, now)
    return {"rotated": rotated, "signed": True}
