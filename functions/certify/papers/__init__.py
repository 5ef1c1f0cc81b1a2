"""Papers of a payment for the counter: the slip of a bill, the receipt, the summary of a fleet's payment."""
