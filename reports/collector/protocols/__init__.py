"""The forms in which beacons arrive."""
