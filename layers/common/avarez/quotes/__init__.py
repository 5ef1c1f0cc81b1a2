"""Quotes: what a vehicle owes to a city on a day, found from what is stored, kept and shown again.

In the common layer because two functions need it: `assess` answers with quotes, `pay` hands out a fresh one
when the quote it was given has expired.
"""
