"""The public status page: chosen journeys under public names, and nothing else of the monitor."""
