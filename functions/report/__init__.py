"""The public figures: computed from the cities' chains of events, published in cells."""
