"""What speaks each protocol of checks."""
