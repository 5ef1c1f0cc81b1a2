"""What cities are owed and have not been paid yet, by duty year and class of vehicle.

`table` is what comes out, `books` what the city's chain says of payments: both without NumPy. `counting` goes over
a roll as columns and needs it. The rules are in `docs/receivables.md`.
"""
