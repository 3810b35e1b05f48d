"""What Chromium's own profilers say of a step: coverage, the time of scripts, CPU profiles."""
