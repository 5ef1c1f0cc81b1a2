"""Simulators of the real gateways, for this machine alone: their protocols, written out from their documents.

They share no code with the adapters. Their credentials are the same everywhere and open nothing.
"""
