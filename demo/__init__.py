"""The demonstration: accounts, tariffs, rolls, and what loads them."""
