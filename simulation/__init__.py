"""The simulator: the real domain code over a deterministic world, with faults at every call."""
