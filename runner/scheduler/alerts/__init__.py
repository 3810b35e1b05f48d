"""Who is told when a journey changes its state."""
