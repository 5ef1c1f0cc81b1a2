"""What the whole running local system does a second, and how long it takes."""
