"""The books, looked at again: trial balance, and the invariants on the real tables."""
