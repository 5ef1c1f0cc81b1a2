"""The review of a draft tariff: what a tariff that can be read may still have wrong before it is published.

Kept apart from reading, because no request that assesses needs it.
"""

from avarez.assessment.review.coverage import Coverage, coverage_of
from avarez.assessment.review.draft import Finding, review

__all__ = ["Coverage", "Finding", "coverage_of", "review"]
