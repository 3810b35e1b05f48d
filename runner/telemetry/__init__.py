"""What is sent after a run to other programs: spans and samples of metrics, from a queue on the disk."""
