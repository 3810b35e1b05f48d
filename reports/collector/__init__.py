"""What real users' browsers report: taken in, checked, stored, counted."""
