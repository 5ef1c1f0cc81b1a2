"""What all local gateways have in common: a book, a page, and ways to make them fail."""
