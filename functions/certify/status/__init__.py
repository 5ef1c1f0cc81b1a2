"""The status list: which certificates ended, signed and published within a minute."""
