"""The signed certificate: its bytes, its link, its keys, and what makes it valid.

Pure but for the elliptic curve, which is the `cryptography` package's: nothing here knows a store or a network.
"""
