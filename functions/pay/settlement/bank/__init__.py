"""The bank's side of a close: its calendar, the file of transfers, and the lines that say what arrived."""
