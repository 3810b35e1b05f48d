"""Everything that knows which engine it is."""
