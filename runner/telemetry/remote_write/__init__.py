"""Remote write: samples of runs as its messages, and sending them."""
