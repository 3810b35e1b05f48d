"""What is wrong with each journey: alerts, the messages about them, and which of them are muted."""
