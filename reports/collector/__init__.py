"""What real users' browsers report: received, checked, stored, counted."""
