"""A user's own project: what `journey init` puts into a folder."""
