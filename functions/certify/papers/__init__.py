"""Papers of a payment for the counter: the slip of a bill, and the receipt of what was taken."""
