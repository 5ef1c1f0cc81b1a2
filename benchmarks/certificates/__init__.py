"""Papers, signatures, the status list and the log."""
