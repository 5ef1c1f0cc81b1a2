"""A city's roll as it arrives: one CSV row a vehicle. Shared by the roll functions and the command line."""
