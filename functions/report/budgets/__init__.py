"""A city publishes what the duty is spent on: plan and actuals of a fiscal year, each version kept."""
