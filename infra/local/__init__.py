"""The whole system on one machine: engine, deployment, edge, gateway, all on 127.0.0.1."""
