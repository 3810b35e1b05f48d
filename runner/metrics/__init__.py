"""Results as Prometheus metrics."""
