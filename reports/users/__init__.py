"""Queries about real users."""
