"""What a payment is and may become: values, the table of states, leases, journal entries. Pure."""
