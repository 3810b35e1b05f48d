"""Time as the page sees it: the agent inside the page, and its readers."""
