"""Playwright's driver: what it is started with, and what its API does not offer."""
