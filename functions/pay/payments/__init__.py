"""The use cases of payments: opening, arrival, verification, cancelling, reconciliation."""
