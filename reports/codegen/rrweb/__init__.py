"""The recording as rrweb wrote it: its events and its nodes."""
