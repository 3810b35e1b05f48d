"""The same words in every report."""
