"""From a walk through a site in Playwright's recorder to a journey file."""
