"""Source maps of the sites' builds: kept privately, and what they say about the errors of real users."""
