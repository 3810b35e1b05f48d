"""The broker that carries runs and results: its address, its queues, and a scheduler's connections to it."""
