"""The transparency log's bytes: tree, tiles, signed checkpoints, cosignatures, proofs.

Pure but for Ed25519, which is from `cryptography`, and for `register`, which reads our own tables. One code
serves the writer, the public answers, a municipality's witness and an auditor's monitor.
"""
