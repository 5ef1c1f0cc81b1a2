"""The daily close: what a city is owed, day by day, and the transfer that pays it."""
