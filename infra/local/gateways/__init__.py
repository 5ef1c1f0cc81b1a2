"""Stand-ins for payment gateways. They share no code with the adapters that talk to them."""
