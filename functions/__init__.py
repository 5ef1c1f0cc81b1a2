"""Lambda functions; each folder is deployed by itself, and none imports another."""
