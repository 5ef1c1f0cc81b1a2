"""The national exchange: one more consumer of the cities' chains, a record for each duty year of each payment."""
