"""Who comes in: tokens for passwords, and what a token says of its bearer."""
