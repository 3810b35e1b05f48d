"""Passwords: how they are hashed, what makes them weak, and how guesses at them are slowed down."""
