"""The collector's own metrics."""
