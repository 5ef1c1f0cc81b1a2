"""What a verifier without a network has besides the keys: a certificate's proof file, and signed status lists."""
