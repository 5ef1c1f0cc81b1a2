"""The sandbox gateway: a payment gateway of our own, for this machine alone. Described in `docs/gateways.md`."""
