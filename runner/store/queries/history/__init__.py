"""What has happened over time: days, outages, releases, flaky runs."""
