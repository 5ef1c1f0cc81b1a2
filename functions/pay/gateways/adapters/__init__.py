"""The adapters: one gateway each, loaded by `registry` when it is asked for."""
