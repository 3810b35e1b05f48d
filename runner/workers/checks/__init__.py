"""The process that runs checks: many at a time, each in a thread, without a browser."""
