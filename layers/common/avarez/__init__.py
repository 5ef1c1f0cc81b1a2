"""What the functions of Avarez share: the domain's words, the engine of assessment, and the edges' plumbing."""
