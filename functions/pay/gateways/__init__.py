"""Payment gateways: one port, and an adapter for each gateway."""
