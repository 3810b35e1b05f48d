"""The HTTP server, with its bounds."""
