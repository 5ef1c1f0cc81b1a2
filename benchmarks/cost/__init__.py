"""What a payment uses, measured on the local system, and what a million of them cost on the public price list."""
