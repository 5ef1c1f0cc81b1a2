"""What cities' rolls are charged, told once for each duty year, beside what was collected of it."""
