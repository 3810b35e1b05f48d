"""The protocols of checks, and their calls in the source of a check."""
