"""The main stack's parts: each a construct with one concern."""
