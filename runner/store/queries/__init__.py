"""The queries of pages and commands."""
