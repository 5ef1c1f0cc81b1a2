"""The owner himself: his car by plate and national id, without an account."""
