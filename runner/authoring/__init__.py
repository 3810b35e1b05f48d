"""Journeys written for people: recorded, and the project they start in."""
