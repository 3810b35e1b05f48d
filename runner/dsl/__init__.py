"""What a journey is, and how files become journeys."""
