"""Every cdk-nag finding that is left standing, each with its reason, next to nothing else."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, reason: str, *ids: str) -> None:
    """Each of the findings is accepted on the construct and what lies below it, for the reason."""
    Validations.of(scope).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in ids))
