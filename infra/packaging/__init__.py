"""Builds what the functions carry: one common layer, and one archive per function."""
