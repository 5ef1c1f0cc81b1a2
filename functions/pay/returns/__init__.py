"""Browsers and gateways on their way out and back: the form to a page, the callback, where a payer lands."""
