"""What a setting's text means: one function for each form of value."""
