"""Alerts: rules over stored runs, and messages about what they find."""
