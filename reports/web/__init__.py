"""What `journey serve` serves: one application, made of parts."""
