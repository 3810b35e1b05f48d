"""Objectives: how much of each error budget is left, and the rules by which Prometheus watches it."""
