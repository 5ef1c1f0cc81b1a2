"""A fleet's list of plates: a verdict and quotes for each, chunk by chunk, resumable."""
