"""What is removed from beacons."""
