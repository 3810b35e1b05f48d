"""What pages share in the background."""
