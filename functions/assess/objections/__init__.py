"""Objections (اعتراض): an assessment is disputed, the penalty stands still, an officer decides."""
