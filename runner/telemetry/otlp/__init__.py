"""OTLP: spans and metrics of runs as its messages, and sending them."""
