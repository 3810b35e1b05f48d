"""Beacons on their way to the store."""
