"""A city's bank account, and every other change by which its money or events could go elsewhere."""
