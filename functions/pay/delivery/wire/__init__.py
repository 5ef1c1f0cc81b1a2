"""The guarded way out: which addresses are called, and how one message goes there."""
