"""When a journey is due: its schedule, and the numbers of its slots."""
