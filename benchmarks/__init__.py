"""Benchmarks: medians and ratios of one run, saved under results/."""
