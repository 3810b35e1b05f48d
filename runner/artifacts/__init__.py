"""The files that a run saves, one kind a module."""
