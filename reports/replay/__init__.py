"""What was seen: recordings of sessions and of runs, taken in, kept, and read again."""
