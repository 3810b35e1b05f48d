"""Servers and programs that tests start on a free port, and stop."""
