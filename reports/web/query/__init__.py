"""What a page's address asks for."""
