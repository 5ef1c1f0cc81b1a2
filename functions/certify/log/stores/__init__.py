"""Where the log lies: its rows, its tiles, its key, its queue."""
