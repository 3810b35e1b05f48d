"""Recordings of sessions and runs: received, stored, read."""
