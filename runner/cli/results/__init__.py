"""Commands that show what was saved."""
