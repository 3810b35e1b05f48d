"""What visitors saw and did: recordings of their sessions, and what is made of them."""
