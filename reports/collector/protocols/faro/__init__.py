"""Grafana Faro's web SDK, accepted unchanged.

Kept are page loads, web vitals, exceptions, logs of level `error`, user actions and events (as interactions), and requests that failed.
Not kept are other logs, measurements other than web vitals, and traces.
"""
