"""Tests and runs of one report: of a pytest session, of several shards, or of the archive."""
