"""What a site brings and does beside its latency: amounts, what parts of it cost, and runs that look closer and are not counted."""
