"""The dashboard: pages that the server renders, and the same figures as JSON."""
