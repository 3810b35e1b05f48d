"""What one run may not leave behind for the next in the same worker process."""
