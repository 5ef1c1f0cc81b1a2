"""Clearances: nothing is owed for a vehicle in any city through a year, which is what a notary asks for."""
