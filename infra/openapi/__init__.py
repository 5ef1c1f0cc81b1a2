"""The OpenAPI document: made of the routes, the handlers, and the answers that the contract tests saw."""
