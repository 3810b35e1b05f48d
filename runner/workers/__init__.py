"""Processes that run journeys."""
