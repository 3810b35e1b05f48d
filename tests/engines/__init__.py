"""Real users in other engines than Chromium."""
