"""Money in suspense: what is open and how old, and matched to a duty by two people."""
