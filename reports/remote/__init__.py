"""A dashboard elsewhere, as commands talk to it: over its API, with a token."""
