"""Sites that were written to be walked through, each of another kind, and how to serve one."""
