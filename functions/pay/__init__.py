"""Payments, the gateways' callbacks, and the journal entries that settle them."""
