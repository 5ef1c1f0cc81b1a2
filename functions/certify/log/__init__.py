"""The transparency log's one writer, and its public answers."""
