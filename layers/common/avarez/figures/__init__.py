"""Public figures: cells of a city's chain of events, merged until each of them is of five vehicles or more."""
