"""The same events for whoever fetches them: by pull, or as daily files."""
