"""What a city's endpoint is, what its officer makes of it, and where it is kept."""
