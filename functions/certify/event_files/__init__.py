"""The signed daily files of each city's events, for those who run no receiver."""
