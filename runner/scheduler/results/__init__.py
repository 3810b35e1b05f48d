"""What becomes of a finished run: stored and pushed, and tried again until it is."""
