"""What each group may do: the one place that says so. A token's scopes are never more than its group's."""

from __future__ import annotations

from collections.abc import Mapping

_READ = (
    "assessments.read",
    "bank-files.read",
    "certificates.read",
    "keys.read",
    "ledger.read",
    "objections.read",
    "payments.read",
    "refunds.read",
    "rolls.read",
    "tariffs.read",
    "terminals.read",
    "vehicles.read",
)

GROUP_SCOPES: Mapping[str, tuple[str, ...]] = {
    "office": (
        "assessments.read",
        "assessments.write",
        "certificates.read",
        "objections.read",
        "objections.write",
        "payments.read",
        "payments.write",
        "refunds.read",
        "refunds.write",
        "terminals.close",
        "terminals.read",
        "vehicles.read",
        "vehicles.write",
    ),
    "municipality": (
        "assessments.read",
        "assessments.write",
        "certificates.read",
        "ledger.read",
        "log.witness",
        "objections.decide",
        "objections.read",
        "objections.write",
        "payments.read",
        "refunds.approve",
        "refunds.read",
        "refunds.write",
        "rolls.read",
        "rolls.write",
        "statements.write",
        "tariffs.read",
        "tariffs.write",
        "vehicles.decide",
        "vehicles.read",
        "vehicles.write",
    ),
    "auditor": _READ,
    "operator": (
        *_READ,
        "bank-files.write",
        "keys.write",
        "refunds.approve",
        "refunds.write",
        "rolls.write",
        "statements.write",
        "tariffs.write",
        "terminals.write",
        "vehicles.decide",
    ),
    "verifier": ("certificates.read", "vehicles.read"),
}
