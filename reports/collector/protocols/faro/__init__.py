"""Grafana Faro's web SDK, taken as it is.

Kept are page loads, web vitals, exceptions, logs of level `error`, user actions and events (as interactions), and requests that failed.
Not kept are other logs, measurements that are no web vitals, and traces.
"""
