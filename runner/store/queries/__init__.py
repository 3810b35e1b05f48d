"""What the pages and commands ask of the store."""
