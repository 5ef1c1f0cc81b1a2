"""The signing keys: which of them signs now, how one follows another, and what happens when one is stolen."""
