"""The bank's daily files of paid bills: taken once, line by line, resumed after any interruption."""
