"""The city's sequencer: the one writer of its chain of events."""
