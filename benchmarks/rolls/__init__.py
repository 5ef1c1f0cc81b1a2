"""Rolls of a million rows: checked, and simulated over."""
