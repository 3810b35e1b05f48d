"""Checks: servers that are asked directly, without a browser. Nothing here imports Playwright."""
