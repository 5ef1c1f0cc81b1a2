"""The certificate's page in two other typesetters, so that ours can be compared in one run."""
