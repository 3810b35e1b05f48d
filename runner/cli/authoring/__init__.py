"""Commands that write journeys, and look at what is written."""
