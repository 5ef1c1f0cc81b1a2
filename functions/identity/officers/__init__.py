"""The officers of a city: invited by its head, approved by a second person, taken out at once."""
