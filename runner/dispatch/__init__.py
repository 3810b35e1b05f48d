"""Runs that are made on other machines: sent through a broker (Celery) to the workers of their location, and their results back."""
