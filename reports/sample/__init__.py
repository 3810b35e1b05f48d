"""A week of made-up history of the demo's shop, so that each page of the dashboard shows what it is for; marked as a sample."""
