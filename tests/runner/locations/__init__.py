"""Journeys that are walked from several places."""
