"""A city's events, brought to the address that it registered."""
