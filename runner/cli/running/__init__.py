"""Commands that run journeys now."""
