"""Runs that somebody has asked for: how one is planned, the queue of those to make, and what is recorded while they are made."""
