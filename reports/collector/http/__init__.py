"""The collector's endpoints."""
